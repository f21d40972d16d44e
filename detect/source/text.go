package source

import (
	"strings"
	"unicode/utf8"
)

// Text makes a Value of bytes as an engine printed them: bytes that are not
// UTF-8 become \xNN, so that every document stays valid and nothing is lost to sight.
func Text(raw []byte) Value {
	if utf8.Valid(raw) {
		return Value{Text: string(raw)}
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		if r == utf8.RuneError && size == 1 {
			b.WriteString(`\x`)
			b.WriteByte(hex[raw[0]>>4])
			b.WriteByte(hex[raw[0]&15])
		} else {
			b.Write(raw[:size])
		}
		raw = raw[size:]
	}
	return Value{Text: b.String()}
}
