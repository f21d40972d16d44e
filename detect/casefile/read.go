package casefile

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"twinrow/detect/key"
)

// Opened is a case that was read from its directory and whose evidence
// matches its digest.
type Opened struct {
	Case
	// Dir is the directory.
	Dir string
	// SHA256 is the digest of case.json itself; a document made from the case holds it.
	SHA256 string
}

// Open reads case.json and checks the evidence against the digest in it. The
// error says so where there is no case, where a newer version made it, and
// where a document was changed since.
func Open(dir string) (*Opened, error) {
	raw, err := os.ReadFile(filepath.Join(dir, CaseName))
	if err != nil {
		return nil, missing(dir, err)
	}
	if err := CheckSchema(CaseName, raw, CaseSchema); err != nil {
		return nil, err
	}
	opened := &Opened{Dir: dir, SHA256: Digest(raw)}
	if err := json.Unmarshal(raw, &opened.Case); err != nil {
		return nil, &Problem{Code: key.CodeTampered, Message: "reading " + filepath.Join(dir, CaseName), Hint: "restore the case from a copy, or scan again", Err: err}
	}
	return opened, opened.checkEvidence()
}

func missing(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "not a directory") {
		return &Problem{Code: key.CodeNotFound, Message: fmt.Sprintf("%s is not a case: it holds no %s", dir, CaseName), Hint: "name the directory that `twinrow scan` made"}
	}
	return &Problem{Code: key.CodePermission, Message: "reading the case", Hint: "a case belongs to the user who scanned; run as that user", Err: err}
}

func (o *Opened) checkEvidence() error {
	if o.Evidence.Schema != EvidenceSchema {
		return &Problem{Code: key.CodeNewer, Message: fmt.Sprintf("the evidence has the schema %q, made by %s %s; this version reads %s", o.Evidence.Schema, o.Tool.Name, o.Tool.Version, EvidenceSchema), Hint: "use the version of twinrow that made it, or a newer one"}
	}
	file, err := os.Open(filepath.Join(o.Dir, EvidenceName))
	if err != nil {
		return &Problem{Code: key.CodeTampered, Message: "opening the evidence of the case", Hint: "restore the case from a copy, or scan again", Err: err}
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return fmt.Errorf("reading the evidence: %w", err)
	}
	if hex.EncodeToString(digest.Sum(nil)) != o.Evidence.SHA256 {
		return &Problem{Code: key.CodeTampered, Message: EvidenceName + " was changed after the scan: its digest is not the one in " + CaseName, Hint: "restore the file from a copy, or scan again; evidence is never edited by hand"}
	}
	return nil
}

// EachGroup hands on the groups in their order.
func (o *Opened) EachGroup(visit func(*Group) error) error {
	file, err := os.Open(filepath.Join(o.Dir, EvidenceName))
	if err != nil {
		return fmt.Errorf("opening the evidence: %w", err)
	}
	defer file.Close()
	decoder := json.NewDecoder(bufio.NewReaderSize(file, 1<<16))
	for {
		group, err := readGroup(decoder)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading the evidence: %w", err)
		}
		if err := visit(group); err != nil {
			return err
		}
	}
}

// readGroup reads the next group a row at a time, as it was written, so that
// one of a million rows is never held as text. At the end it returns io.EOF.
func readGroup(decoder *json.Decoder) (*Group, error) {
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, cmp.Or(err, errJSON)
	}
	group, err := readMembers(decoder)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // in the middle of a group
	}
	return group, err
}

// readMembers reads what follows a group's brace.
func readMembers(decoder *json.Decoder) (*Group, error) {
	var group Group
	var rows []Row
	head := []byte{'{'}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		if name == "rows" {
			if rows, err = readRows(decoder); err != nil {
				return nil, err
			}
			continue
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		if len(head) > 1 {
			head = append(head, ',')
		}
		head = append(strconv.AppendQuote(head, fmt.Sprint(name)), ':')
		head = append(head, value...)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	err := json.Unmarshal(append(head, '}'), &group)
	group.Rows = rows
	return &group, err
}

func readRows(decoder *json.Decoder) ([]Row, error) {
	if start, err := decoder.Token(); err != nil || start != json.Delim('[') {
		return nil, cmp.Or(err, errJSON)
	}
	rows := []Row{}
	for decoder.More() {
		var row Row
		if err := decoder.Decode(&row); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	_, err := decoder.Token()
	return rows, err
}

// Groups returns all groups in their order.
func (o *Opened) Groups() ([]*Group, error) {
	groups := make([]*Group, 0, o.Evidence.Groups)
	err := o.EachGroup(func(g *Group) error {
		groups = append(groups, g)
		return nil
	})
	return groups, err
}

// TableNamed returns the table whose Name it is, or nil.
func (c *Case) TableNamed(name string) *Table {
	for i := range c.Tables {
		if c.Tables[i].Name == name {
			return &c.Tables[i]
		}
	}
	return nil
}

// CheckSchema refuses a JSON document whose schema is not the one this version
// reads: one of the same family with a higher number was made by a newer version.
func CheckSchema(document string, raw []byte, want string) error {
	head, err := headOf(raw)
	if err != nil {
		return &Problem{Code: key.CodeTampered, Message: document + " is not the JSON that twinrow wrote", Hint: "restore the file from a copy, or make it again", Err: err}
	}
	if head.Schema == want {
		return nil
	}
	family := want[:strings.LastIndex(want, "/")+1]
	if strings.HasPrefix(head.Schema, family) {
		return &Problem{Code: key.CodeNewer, Message: fmt.Sprintf("%s has the schema %s, made by %s %s; this version reads %s", document, head.Schema, head.Tool.Name, head.Tool.Version, want), Hint: "use the version of twinrow that made it, or a newer one"}
	}
	return &Problem{Code: key.CodeBadInput, Message: fmt.Sprintf("%s has the schema %q, not %s", document, head.Schema, want), Hint: "name a case directory that twinrow made"}
}

// head is what every document says of itself.
type head struct {
	Schema string
	Tool   Tool
}

// headOf reads a document as far as it must: documents begin with their head,
// and the rest of a large one is for whoever reads all of it.
func headOf(raw []byte) (h head, err error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return h, cmp.Or(err, errJSON)
	}
	for found := 0; found < 2 && decoder.More(); {
		name, err := decoder.Token()
		if err != nil {
			return h, err
		}
		var value any = new(json.RawMessage)
		switch name {
		case "schema":
			found, value = found+1, &h.Schema
		case "tool":
			found, value = found+1, &h.Tool
		}
		if err := decoder.Decode(value); err != nil {
			return h, err
		}
	}
	return h, nil
}

// Digest is the SHA-256 of a document in lower-case hexadecimal.
func Digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
