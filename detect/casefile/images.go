package casefile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// Images is of one group what a clean-up needs to find its rows again.
type Images struct {
	// Number is the group's.
	Number int
	// Rows are all its rows, in the order of the evidence.
	Rows []RowImage
}

// RowImage is a row's id, and what it must look like; see Row.
type RowImage struct {
	ID    Fields
	Image string
}

// EachImages hands on the groups in their order as EachGroup does, without
// reading the rest of them, which takes a tenth of the time.
func (o *Opened) EachImages(visit func(Images) error) error {
	file, err := os.Open(filepath.Join(o.Dir, EvidenceName))
	if err != nil {
		return fmt.Errorf("opening the evidence: %w", err)
	}
	defer file.Close()
	lines := bufio.NewReaderSize(file, 1<<20)
	names := map[string]string{}
	var long []byte
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, line...)
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading the evidence: %w", err)
		}
		if len(long) > 0 {
			line = append(long, line...)
			long = nil
		}
		if len(line) > 0 {
			group, err := imagesOf(line, names)
			if err != nil {
				return fmt.Errorf("reading the evidence: %w", err)
			}
			if err := visit(group); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
	}
}

// imagesOf reads one line of the evidence.
func imagesOf(line []byte, names map[string]string) (Images, error) {
	w := walk{text: line, names: names}
	var group Images
	w.object(func(name []byte) {
		switch string(name) {
		case "number":
			if number, err := strconv.Atoi(string(w.word())); err != nil {
				w.fail()
			} else {
				group.Number = number
			}
		case "rows":
			w.array(func() { group.Rows = append(group.Rows, w.rowImage()) })
		default:
			w.skip()
		}
	})
	if w.next() != 0 {
		w.fail()
	}
	return group, w.err
}

func (w *walk) rowImage() (row RowImage) {
	w.object(func(name []byte) {
		switch string(name) {
		case "id":
			row.ID = w.fields()
		case "image":
			row.Image = w.string()
		default:
			w.skip()
		}
	})
	return row
}
