package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"twinrow/detect/source"
)

const benchLines = 1_000_000

// BenchmarkPrints reads a million lines of CSV for their fingerprints, beside
// the reader alone.
func BenchmarkPrints(b *testing.B) {
	path := filepath.Join(b.TempDir(), "large.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "id,payment,number,pad")
	for i := range benchLines {
		fmt.Fprintf(w, "%d,pi_%024x,%d,%s\n", i, i*2654435761%4294967296, i%3, strings.Repeat("x", 140))
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
	s, err := Open(context.Background(), path, nil, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	table, err := s.Inspect(context.Background(), source.Request{Key: []string{"payment", "number"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("reader", func(b *testing.B) {
		b.SetBytes(s.input.size)
		for b.Loop() {
			reader, lines := s.open(scanChunk), 0
			reader.seek(s.first, s.firstLine)
			for {
				_, err := reader.next()
				if errors.Is(err, io.EOF) {
					break
				}
				if lines++; err != nil {
					b.Fatal(err)
				}
			}
			if lines != benchLines {
				b.Fatal(lines)
			}
		}
	})
	b.Run("prints", func(b *testing.B) {
		b.SetBytes(s.input.size)
		for b.Loop() {
			count, err := s.Prints(context.Background(), table, source.Pass{}, func([]source.Print) error { return nil })
			if err != nil || count.Rows != benchLines {
				b.Fatal(count, err)
			}
		}
	})
}
