package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// readNames reads a file of JSON lines once for the names of its columns,
// because the last line may have one that no other has.
func (s *Source) readNames(ctx context.Context, start []byte) error {
	found := &names{place: map[string]int{}, grows: true}
	s.open = func(chunk int) recordReader { return newJSONLines(s.input.file, found, s.format == Items, chunk) }
	s.first, s.firstLine = 0, 1
	if bytes.HasPrefix(start, []byte(bom)) {
		s.first = int64(len(bom))
	}
	var count source.Count
	err := s.records(ctx, &count, func(*record) error {
		if found.tooMany {
			return io.ErrShortBuffer
		}
		return nil
	})
	if found.tooMany {
		return &key.Problem{
			Code: key.CodeUnsupported, Message: fmt.Sprintf("the objects of %s have more than %d different names, so they are not the rows of one table", s.input.name, maxNames),
			Hint: "write an object with the same names on each line, as with: jq -c '{id, key, created_at}'",
		}
	}
	if err != nil {
		return jsonHint(err, start)
	}
	found.grows = false
	s.header, s.estimate = found.list, count.Rows
	return nil
}

// jsonHint tells how to make lines of JSON that is written otherwise.
func jsonHint(err error, start []byte) error {
	p, ok := errors.AsType[*key.Problem](err)
	text := bytes.TrimSpace(start)
	if !ok || p.Code != key.CodeBadInput || len(text) == 0 {
		return err
	}
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	switch {
	case text[0] == '[':
		p.Hint = "it is one JSON array; write a line for each object, as with: jq -c '.[]'"
	case string(bytes.TrimSpace(line)) == "{":
		p.Hint = "its objects span several lines; write each on one, as with: jq -c ."
	}
	return p
}

// believe takes the columns that a request names as they are where no object
// told of any: an export of no rows is an empty table, not an unknown one.
func (s *Source) believe(req source.Request) {
	if s.format != "jsonl" && s.format != Items || len(s.header) > 0 {
		return
	}
	roles := []string{req.Time, req.Email, req.Name, req.Amount}
	for _, list := range [][]string{req.Key, roles, req.ID, req.Ignore} {
		for _, name := range list {
			if _, err := key.ResolveColumn("column", name, s.header); err != nil && name != "" && name != lineID {
				s.header = append(s.header, name)
			}
		}
	}
}
