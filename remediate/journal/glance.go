package journal

import "path/filepath"

// Read returns the records of the journal in dir, none where there is no
// journal, without locking it: a run may be appending meanwhile.
func Read(dir string) ([]Record, error) {
	records, _, err := read(filepath.Join(dir, Name))
	return records, err
}
