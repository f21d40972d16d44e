package source

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for raw, want := range map[string]string{
		"": "", "naïve 🎟": "naïve 🎟", "a\x00b": "a\x00b", "\ufffd": "\ufffd", "\xff": `\xFF`, "a\xc3": `a\xC3`,
		"\xed\xa0\x80": `\xED\xA0\x80`, "ï\x80ï": `ï\x80ï`, `\xFF`: `\xFF`,
	} {
		if got := Text([]byte(raw)); got.Null || got.Text != want {
			t.Errorf("%q is %q, want %q", raw, got.Text, want)
		}
	}
	if got := Text(nil); got.Null {
		t.Error("no bytes are the empty string, not NULL")
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("naïve \xff\xfe 🎟"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := Text(raw).Text
		if !utf8.ValidString(got) {
			t.Fatalf("%q gives %q, which is not UTF-8", raw, got)
		}
		if utf8.Valid(raw) && got != string(raw) {
			t.Fatalf("%q was changed to %q", raw, got)
		}
		if back := unescape(got); !utf8.Valid(raw) && !strings.Contains(string(raw), `\x`) && back != string(raw) {
			t.Fatalf("%q gives %q, which means %q", raw, got, back)
		}
	})
}

// unescape takes \xNN back, for text that had none of its own.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if strings.HasPrefix(text[i:], `\x`) && i+3 < len(text) {
			b.WriteByte(nibble(text[i+2])<<4 | nibble(text[i+3]))
			i += 3
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func nibble(c byte) byte { return byte(strings.IndexByte("0123456789ABCDEF", c)) }
