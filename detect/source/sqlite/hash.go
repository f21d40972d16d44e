package sqlite

import (
	"bytes"
	"encoding/binary"
	"math"

	"zombiezen.com/go/sqlite"
)

// appendKeyValue appends a writing of one value to buf that is the same for
// all values that SQLite calls equal, under any of its three collations. It is
// coarser than each of them: what it runs together, Fetch takes apart again.
// null is true for NULL.
func appendKeyValue(buf []byte, stmt *sqlite.Stmt, col int, utf16 bool) (out []byte, null bool) {
	switch stmt.ColumnType(col) {
	case sqlite.TypeInteger:
		return appendInteger(buf, stmt.ColumnInt64(col)), false
	case sqlite.TypeFloat:
		return appendFloat(buf, stmt.ColumnFloat(col)), false
	case sqlite.TypeText:
		start := len(buf)
		if utf16 {
			buf = append(buf, stmt.ColumnText(col)...)
		} else {
			buf = appendColumnBytes(buf, stmt, col)
		}
		return appendSize(appendFolded(buf[:start], buf[start:]), start, 't'), false
	case sqlite.TypeBlob:
		start := len(buf)
		return appendSize(appendColumnBytes(buf, stmt, col), start, 'b'), false
	}
	return append(buf, 'n'), true
}

// appendColumnBytes copies text or a blob as it is stored. The driver must not
// be asked for the bytes of UTF-16 text: it takes the length of another encoding.
func appendColumnBytes(buf []byte, stmt *sqlite.Stmt, col int) []byte {
	start, n := len(buf), stmt.ColumnLen(col)
	buf = append(buf, make([]byte, n)...)
	stmt.ColumnBytes(col, buf[start:])
	return buf
}

func appendInteger(buf []byte, v int64) []byte {
	return binary.LittleEndian.AppendUint64(append(buf, 'i'), uint64(v))
}

// appendFloat writes a real that is a whole number as that integer, since
// SQLite compares the two by their exact values. 0.0 and -0.0 are both 0.
func appendFloat(buf []byte, f float64) []byte {
	if f == math.Trunc(f) && f >= -1<<63 && f < 1<<63 {
		return appendInteger(buf, int64(f))
	}
	return binary.LittleEndian.AppendUint64(append(buf, 'f'), math.Float64bits(f))
}

// appendFolded appends text so that it is the same for what NOCASE or RTRIM
// call equal: ASCII letters in lower case, nothing from the first NUL on
// (where NOCASE stops to look), and no spaces at the end. The text may lie
// right behind buf in the same array.
func appendFolded(buf, text []byte) []byte {
	if nul := bytes.IndexByte(text, 0); nul >= 0 {
		text = text[:nul]
	}
	for len(text) > 0 && text[len(text)-1] == ' ' {
		text = text[:len(text)-1]
	}
	for _, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf = append(buf, c)
	}
	return buf
}

// appendSize ends a value of any length with its length and kind, so that the
// parts of a key do not run together.
func appendSize(buf []byte, start int, kind byte) []byte {
	return append(binary.LittleEndian.AppendUint64(buf, uint64(len(buf)-start)), kind)
}
