package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"twinrow/detect/casefile"
	"twinrow/detect/casefile/yaml"
	"twinrow/detect/key"
)

// Read reads a configuration file.
func Read(path string, env func(string) (string, bool)) (*File, error) {
	content, err := load(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &key.Problem{Code: key.CodeNotFound, Message: "no file " + path, Hint: "name the configuration, as in --config twinrow.yaml"}
	case err != nil:
		return nil, &key.Problem{Code: key.CodePermission, Message: "reading the configuration " + path, Hint: "name a file that you may read", Err: err}
	}
	return Parse(path, content, env)
}

// load reads no more of a file than it takes to see that it is too long.
func load(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, yaml.MaxBytes+1))
}

// OfCase reads the copy of the configuration that a case was scanned by: nil
// where it was scanned without one. Its Tables are those of the case, in order.
//
// The rules of the copy may be changed after the scan, so that another clean-up
// can be planned of the same evidence; what decided which rows were found may not.
func OfCase(opened *casefile.Opened, env func(string) (string, bool)) (*File, error) {
	if opened.Config == nil {
		return nil, nil
	}
	path := filepath.Join(opened.Dir, casefile.ConfigName)
	content, err := load(path)
	if err != nil {
		return nil, &key.Problem{Code: key.CodeTampered, Message: "reading the configuration of the case", Hint: "restore " + path + " from a copy, or scan again", Err: err}
	}
	f, err := Parse(path, content, env)
	if err != nil {
		return nil, err
	}
	if len(f.Tables) != len(opened.Tables) {
		return nil, changed(path, fmt.Sprintf("it has %d entries, and the case has %d", len(f.Tables), len(opened.Tables)))
	}
	for i := range f.Tables {
		if what := differs(&f.Tables[i], &opened.Tables[i]); what != "" {
			return nil, changed(f.Tables[i].At, what+" is not what was scanned by")
		}
	}
	return f, nil
}

// differs names the setting of an entry that is not what the case was scanned by.
func differs(t *Table, scanned *casefile.Table) string {
	names := make([]string, len(scanned.Columns))
	for i, c := range scanned.Columns {
		names[i] = c.Name
	}
	parts, err := key.Resolve(t.Key, names)
	same := func(a key.Part, b casefile.KeyPart) bool { return casefile.KeyPart(a) == b }
	switch {
	case err != nil || !slices.EqualFunc(parts, scanned.Key, same):
		return "`key:`"
	case t.Where != scanned.Where:
		return "`where:`"
	case t.NullsEqual != (scanned.Nulls == "not-distinct"):
		return "`nulls:`"
	}
	return ""
}

func changed(at, what string) error {
	return &key.Problem{Code: key.CodeTampered, Message: at + ": the copy of the configuration was changed after the scan: " + what,
		Hint: "scan again with the changed configuration; only rules of the clean-up can be changed in a case"}
}
