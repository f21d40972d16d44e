package file

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// What walks over JSON here relies on its being valid.

// space is the first place from at on that is no white space.
func space(raw []byte, at int) int {
	for raw[at] == ' ' || raw[at] == '\t' || raw[at] == '\r' {
		at++
	}
	return at
}

// stringEnd is the place behind the string that begins at at.
func stringEnd(raw []byte, at int) int {
	for at++; raw[at] != '"'; at++ {
		if raw[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// valueEnd is the place behind the value that begins at at.
func valueEnd(raw []byte, at int) int {
	depth := 0
	for at < len(raw) {
		switch raw[at] {
		case '"':
			at = stringEnd(raw, at)
			if depth == 0 {
				return at
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return at
			}
			if depth--; depth == 0 {
				return at + 1
			}
		case ',', ' ', '\t', '\r':
			if depth == 0 {
				return at
			}
		}
		at++
	}
	return at
}

// text is what a string in quotes says. Half a surrogate pair has no UTF-8,
// and a replacement would make different values equal.
func (j *jsonLines) text(quoted []byte) (text []byte, reason string) {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner, ""
	}
	start := len(j.scratch)
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			j.scratch = append(j.scratch, inner[i])
			continue
		}
		i++
		if inner[i] != 'u' {
			j.scratch = append(j.scratch, unescaped(inner[i]))
			continue
		}
		r, size := codePoint(inner[i+1:])
		if r < 0 {
			return nil, "has half a surrogate pair in a string"
		}
		j.scratch = utf8.AppendRune(j.scratch, r)
		i += size
	}
	return j.scratch[start:len(j.scratch):len(j.scratch)], ""
}

func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// codePoint reads the digits of one \u escape, or of two that are a pair; -1
// is half a pair.
func codePoint(digits []byte) (r rune, size int) {
	r = hexDigits(digits)
	if !utf16.IsSurrogate(r) {
		return r, 4
	}
	if len(digits) >= 10 && digits[4] == '\\' && digits[5] == 'u' {
		if pair := utf16.DecodeRune(r, hexDigits(digits[6:])); pair != utf8.RuneError {
			return pair, 10
		}
	}
	return -1, 0
}

func hexDigits(digits []byte) rune {
	n, _ := strconv.ParseUint(string(digits[:4]), 16, 16)
	return rune(n)
}
