package report_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"twinrow/report"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"Zoë 日本 ✓":           "Zoë 日本 ✓",
		"a\nb\tc\r":          `a\nb\tc\r`,
		"\x1b[31m":           `\x1b[31m`,
		"\u202egpj":          `\u202egpj`,
		"\u200b\ufeff\u009b": `\u200b\ufeff\u009b`,
		"\xff":               `\xff`,
		"\ufffd":             "\ufffd",
		"":                   "",
	} {
		if got := report.Plain(in); got != want {
			t.Errorf("Plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("a\x1b\u202e\xff\n")
	f.Fuzz(func(t *testing.T, in string) {
		got := report.Plain(in)
		if !utf8.ValidString(got) {
			t.Fatalf("Plain(%q) = %q is not UTF-8", in, got)
		}
		for _, r := range got {
			if !strconv.IsPrint(r) {
				t.Fatalf("Plain(%q) = %q holds %q", in, got, r)
			}
		}
		if report.Plain(got) != got {
			t.Fatalf("Plain is not settled by one pass on %q", in)
		}
	})
}

func TestShorten(t *testing.T) {
	double := func(r rune) int {
		if r > 0x2e80 {
			return 2
		}
		return 1
	}
	for _, c := range []struct {
		in    string
		width int
		wide  func(rune) int
		want  string
	}{
		{"abcdef", 6, nil, "abcdef"},
		{"abcdefg", 6, nil, "abc…fg"},
		{"abcdefg", 1, nil, "…"},
		{"abcdefg", 0, nil, ""},
		{"日本語日本語", 7, double, "日…語"},
		{strings.Repeat("e\u0301", 50), 10, func(rune) int { return 0 }, "e\u0301e\u0301e…e\u0301e\u0301"},
	} {
		if got := report.Shorten(c.in, c.width, c.wide); got != c.want {
			t.Errorf("Shorten(%q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
}

func FuzzShorten(f *testing.F) {
	f.Add("pi_3ShicpKI6MirOIdS1vKqmZyR", 10)
	f.Fuzz(func(t *testing.T, in string, width int) {
		in, width = strings.ToValidUTF8(in, ""), width%1000
		got := report.Shorten(in, width, nil)
		if n := utf8.RuneCountInString(got); n > max(0, width) || n < min(width, utf8.RuneCountInString(in)) {
			t.Fatalf("Shorten(%q, %d) = %q", in, width, got)
		}
	})
}

func TestDuration(t *testing.T) {
	for us, want := range map[int64]string{
		0: "0 s", 350: "350 µs", 1_300: "1.3 ms", 14_000: "14 ms", 79_000: "79 ms", 999_999: "999.999 ms", 1_000_000: "1 s", 2_020_000: "2.02 s",
		59_999_400: "59.999 s", 60_000_000: "1 m", 69_299_000_000: "19 h 14 m 59 s", 155_718_000_000: "43 h 15 m 18 s", 259_200_000_000: "72 h", -14_000: "-14 ms",
	} {
		if got := report.Duration(us); got != want {
			t.Errorf("Duration(%d) = %q, want %q", us, got, want)
		}
	}
}

func TestNumberAndCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := report.Number(n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
	if got := report.Count(1, "row") + ", " + report.Count(2000, "row"); got != "1 row, 2,000 rows" {
		t.Errorf("counts are %q", got)
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"case-dup": "case-dup", "/srv/a b": "'/srv/a b'", "it's": `'it'\''s'`, "": "''", "$(rm)": "'$(rm)'", "~x": "'~x'",
	} {
		if got := report.ShellWord(in); got != want {
			t.Errorf("ShellWord(%q) = %s, want %s", in, got, want)
		}
	}
}
