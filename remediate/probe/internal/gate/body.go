package gate

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
)

// Decode undoes the body's content encoding, within the same limit as the
// body itself: a small answer may unpack to a very large one. What cannot be
// decoded is named in Unread.
func (a *Answer) Decode(limit int) {
	encoding := strings.ToLower(strings.TrimSpace(a.Header.Get("Content-Encoding")))
	if a.Unread != "" || len(a.Body) == 0 || encoding == "" || encoding == "identity" {
		return
	}
	plain, err := decompress(encoding, a.Body, limit)
	switch {
	case err != nil:
		a.Body, a.Unread = nil, "its "+clip(encoding)+" body could not be decoded"
	case len(plain) > limit:
		a.Body, a.Unread = plain[:limit], TooLong(limit)
	default:
		a.Body = plain
	}
}

// TooLong is the Unread of a body past the limit, in bytes.
func TooLong(limit int) string { return fmt.Sprintf("its body is longer than %d kB", limit>>10) }

func decompress(encoding string, packed []byte, limit int) ([]byte, error) {
	var reader io.ReadCloser
	var err error
	switch encoding {
	case "gzip", "x-gzip":
		reader, err = gzip.NewReader(bytes.NewReader(packed))
	case "deflate":
		reader, err = zlib.NewReader(bytes.NewReader(packed))
	default:
		return nil, fmt.Errorf("unknown encoding %q", encoding)
	}
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(reader, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	return plain, reader.Close()
}

// clip keeps a server's own word short enough for a sentence.
func clip(s string) string {
	if len(s) > 20 {
		return s[:20] + "…"
	}
	return s
}
