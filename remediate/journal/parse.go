package journal

import (
	"bytes"
	"encoding/json"
)

// parse reads records. What follows the last newline was torn off by a crash
// and is left out; whole is the length of what stands before it.
func parse(raw []byte) (records []Record, whole int64, err error) {
	before := ""
	for len(raw) > 0 {
		line, rest, ended := bytes.Cut(raw, []byte("\n"))
		if !ended {
			break
		}
		record, err := parseLine(line, len(records)+1, before)
		if err != nil {
			return nil, 0, err
		}
		records = append(records, record)
		before = digest(record)
		whole += int64(len(line)) + 1
		raw = rest
	}
	return records, whole, nil
}

func parseLine(line []byte, number int, before string) (Record, error) {
	var record Record
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&record); err != nil {
		return Record{}, &DamagedError{number, "is not a record that twinrow wrote"}
	}
	switch {
	case record.Number != number:
		return Record{}, &DamagedError{number, "does not have the next number"}
	case record.Before != before:
		return Record{}, &DamagedError{number, "does not follow the line before it, which was changed"}
	case !bytes.Equal(append(bytes.Clone(line), '\n'), encode(record)):
		return Record{}, &DamagedError{number, "was changed after it was written"}
	}
	return record, nil
}
