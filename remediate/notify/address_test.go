package notify

import (
	"bytes"
	"net/mail"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for value, want := range map[string]address{
		"ada@example.com":                 {"ada@example.com", "ada@example.com"},
		" Ada.B+Gala@Example.COM\n":       {"Ada.B+Gala@example.com", "ada.b+gala@example.com"},
		"o'neil@mail.example.com":         {"o'neil@mail.example.com", "o'neil@mail.example.com"},
		"ida@bücher.example.com":          {"ida@xn--bcher-kva.example.com", "ida@xn--bcher-kva.example.com"},
		"ida@XN--BCHER-KVA.example.com":   {"ida@xn--bcher-kva.example.com", "ida@xn--bcher-kva.example.com"},
		"a@b.c.d.example.com":             {"a@b.c.d.example.com", "a@b.c.d.example.com"},
		strings.Repeat("l", 64) + "@x.io": {strings.Repeat("l", 64) + "@x.io", strings.Repeat("l", 64) + "@x.io"},
	} {
		if got, err := parseAddress(value); err != nil || got != want {
			t.Errorf("%q: got %+v, %v; want %+v", value, got, err, want)
		}
	}
	for _, value := range []string{"", "ada", "@example.com", "ada@", "ada@example", "ada@@example.com", "a b@example.com", "Ada <ada@example.com>", "<ada@example.com>", "ada@example.com, bo@example.com",
		"ada@example.com;bo@example.com", "ada@[127.0.0.1]", "ada@127.0.0.1", `"ada b"@example.com`, "ada@exa mple.com", "ada@-x.example.com", "ada@example.com.", "ada@.example.com", "ada@exa_mple.com", ".ada@example.com",
		"ada..b@example.com", "ada@example.com\r\nBcc: x@example.com", "ada\r\n@example.com", "ada\x00@example.com", "dörte@example.com", strings.Repeat("l", 65) + "@example.com", "a@" + strings.Repeat("d.", 140) + "com", "ada(x)@example.com", "ada@example.com(x)"} {
		if got, err := parseAddress(value); err == nil {
			t.Errorf("%q: got %+v, want an error", value, got)
		} else if value != "" && strings.Contains(err.Error(), value) {
			t.Errorf("%q: the error repeats it: %v", value, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"ada@example.com", "a+b@bücher.example", "\"x y\"@example.com", "a@b@c.de", "a\r\nb@example.com", "<a@example.com>", "000@0.\xbc0000000000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := parseAddress(value)
		if err != nil {
			return
		}
		if strings.ContainsFunc(got.deliver, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("%q became %q", value, got.deliver)
		}
		list, err := mail.ParseAddressList(got.deliver)
		if err != nil || len(list) != 1 || list[0].Address != got.deliver {
			t.Fatalf("%q became %q, which reads as %v: %v", value, got.deliver, list, err)
		}
		again, err := parseAddress(got.deliver)
		if err != nil || again != got {
			t.Fatalf("%q became %+v, and that %+v: %v", value, got, again, err)
		}
	})
}

// FuzzMessage proves that whatever a customer is called, the draft is one mail
// to them alone, and reads back the same.
func FuzzMessage(f *testing.F) {
	f.Add("Ada", "Your ticket", "text", "<p>x</p>")
	f.Add("Eve\r\nBcc: x@example.com", "a\r\nb", "--=_a", ".\r\n.\r\n")
	f.Add("=?utf-8?q?x?=", "Grüße "+strings.Repeat("ü", 200), "a\rb", "\x00")
	f.Add(`"\`, strings.Repeat("x ", 400), strings.Repeat("y", 3000), "=")
	f.Fuzz(func(t *testing.T, name, subject, text, html string) {
		m := Message{Case: "0123456789ab", Mail: "0123456789abcdef", From: Mailbox{"Box", "a@example.com"}, ReplyTo: Mailbox{Address: "a@example.com"},
			To: Mailbox{cleanName(name), "b@example.com"}, Subject: strings.Join(splitWords(subject), " "), Text: toLines(text), HTML: toLines(html)}
		var b bytes.Buffer
		if err := appendEML(&b, m, testNow); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(b.String(), "\r\n") {
			if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
				t.Fatalf("a line of %d bytes or with a bare line end: %q", len(line), line)
			}
		}
		head, _, _ := strings.Cut(b.String(), "\r\n\r\n")
		fields := 0
		for line := range strings.SplitSeq(head, "\r\n") {
			if !strings.HasPrefix(line, " ") {
				fields++
			}
		}
		if fields != 9 {
			t.Fatalf("%d headers: %q", fields, head)
		}
		got, err := parseEML(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		got.Case, got.Mail = m.Case, m.Mail
		if got != m {
			t.Fatalf("got  %+v\nwant %+v", got, m)
		}
	})
}

// toLines gives a text the line ends that templates have.
func toLines(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "")
}

func TestCleanName(t *testing.T) {
	for value, want := range map[string]string{
		"  Ada\t Example ": "Ada Example", "Win! http://x.example": "", "www.x.example": "", "ada@example.com": "", "\xff\xfe": "", "\u202eevE": "evE", "Ren\u00e9": "Ren\u00e9",
	} {
		if got := cleanName(value); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}

func TestGuardCell(t *testing.T) {
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+49 30": "'+49 30", "-5": "-5", "-5.25": "-5.25", "-5+cmd": "'-5+cmd", "@x": "'@x", " =1": " '=1", "＝1": "'＝1", "a;=1": "a;'=1", "Ada": "Ada", "a=b": "a=b", "ada@example.com": "ada@example.com", "a-b": "a-b",
	} {
		if got := guardCell(cell); got != want {
			t.Errorf("%q: got %q, want %q", cell, got, want)
		}
	}
}
