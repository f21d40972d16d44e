package notify

import (
	"strings"
	"testing"
)

func TestHeaderLine(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		{"short", "X: short\r\n"},
		{"a\r\nBcc: b\n\nc\rd", "X: a Bcc: b c d\r\n"},
		{strings.Repeat("word ", 20) + "end", "X:" + strings.Repeat(" word", 14) + "\r\n" + strings.Repeat(" word", 6) + " end\r\n"},
		{strings.Repeat("w", 90), "X: " + strings.Repeat("w", 90) + "\r\n"},
	} {
		if got := headerLine("X", c.value); got != c.want {
			t.Errorf("%q: got %q, want %q", c.value, got, c.want)
		}
	}
}
