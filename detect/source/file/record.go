package file

import "fmt"

// recordReader reads one format. A new format is one more of these.
type recordReader interface {
	// seek goes to the record that starts at a byte offset, on a line counted from 1.
	seek(offset int64, line int)
	// next reads the record there. It is valid until the next call. The error
	// is io.EOF at the end, and a *badRecord for a record that cannot be read;
	// then the next call reads what comes after it.
	next() (*record, error)
}

// record is one row of a file.
type record struct {
	offset int64
	line   int
	// raw is all of the record's bytes but those that end its line.
	raw    []byte
	fields []field
}

// field is one value of a record.
type field struct {
	text []byte
	// equal is the same for equal values; nil where text is.
	equal []byte
	null  bool
}

// badRecord says why a record cannot be read.
type badRecord struct {
	line   int
	reason string
	// final is true where no next record can be found.
	final bool
}

func (b *badRecord) Error() string { return fmt.Sprintf("line %d %s", b.line, b.reason) }
