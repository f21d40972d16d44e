package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"twinrow/detect/casefile"
)

// noDigest stands in the place of the plan's own digest while it is taken.
var noDigest = strings.Repeat("0", 64)

// Read reads plan.json from a case directory. A plan that was edited by hand,
// or that was made from another case.json, is a Problem; so is none at all.
func Read(dir string) (*Plan, error) {
	raw, err := os.ReadFile(filepath.Join(dir, Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Problem{Code: CodeNotFound, Message: dir + " has no " + Name, Hint: "run `twinrow plan " + dir + "` first"}
	}
	if err != nil {
		return nil, &Problem{Code: CodePermission, Message: "reading the plan", Hint: "a case belongs to the user who scanned; run as that user", Err: err}
	}
	p, err := decode(raw)
	if err != nil {
		return nil, err
	}
	made, err := os.ReadFile(filepath.Join(dir, casefile.CaseName))
	if err != nil {
		return nil, &Problem{Code: CodeNotFound, Message: "reading the case of the plan", Hint: "name the directory that `twinrow scan` made", Err: err}
	}
	if casefile.Digest(made) != p.CaseSHA256 {
		return nil, otherCase()
	}
	return p, nil
}

// decode checks the schema and the plan's own digest.
func decode(raw []byte) (*Plan, error) {
	if err := casefile.CheckSchema(Name, raw, Schema); err != nil {
		return nil, err
	}
	var p Plan
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, &Problem{Code: CodeTampered, Message: Name + " is not the JSON that twinrow wrote", Hint: "run `twinrow plan` again", Err: err}
	}
	digest := []byte(`"sha256": "` + p.SHA256 + `"`)
	at := bytes.LastIndex(raw, digest)
	if len(p.SHA256) != len(noDigest) || at < 0 {
		return nil, edited()
	}
	blank := bytes.Clone(raw)
	copy(blank[at:], `"sha256": "`+noDigest+`"`)
	if casefile.Digest(blank) != p.SHA256 {
		return nil, edited()
	}
	return &p, nil
}

func edited() error {
	return &Problem{Code: CodeTampered, Message: Name + " was changed after it was made: its digest does not match", Hint: "run `twinrow plan` again; a plan is changed by its flags, not by hand"}
}

func otherCase() error {
	return &Problem{Code: CodeTampered, Message: Name + " was made from another " + casefile.CaseName + " than the one beside it", Hint: "run `twinrow plan` again"}
}

// Write stores the plan and the files made from it; plan.json comes last, so
// that a plan that can be read is whole. Files of the plan before it that
// nobody changed are removed; a file of anybody else is never overwritten.
// A plan that was carried out and not taken back is not replaced.
func Write(dir string, p *Plan, files []File) error {
	if err := replaceable(dir); err != nil {
		return err
	}
	former := formerFiles(dir)
	p.Files = []FileRef{}
	for _, f := range files {
		ref := FileRef{Path: f.Path, SHA256: casefile.Digest(f.Content)}
		if err := free(PathIn(dir, f.Path), former[f.Path], ref.SHA256); err != nil {
			return err
		}
		p.Files = append(p.Files, ref)
	}
	for _, f := range files {
		if err := writeFile(PathIn(dir, f.Path), f.Content); err != nil {
			return err
		}
		if err := share(f.Path); err != nil {
			return err
		}
		delete(former, f.Path)
	}
	raw, err := encode(p)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, Name), raw); err != nil {
		return err
	}
	return removeStale(dir, former)
}

// Edited lists the SQL files of a plan that are no longer as it wrote them.
// Nothing is done from them; a person may run them all the same.
func (p *Plan) Edited(dir string) []string {
	var edited []string
	for _, f := range p.Files {
		raw, err := os.ReadFile(PathIn(dir, f.Path))
		if err == nil && strings.HasSuffix(f.Path, ".sql") && casefile.Digest(raw) != f.SHA256 {
			edited = append(edited, f.Path)
		}
	}
	return edited
}

// encode writes the document with its own digest in it.
func encode(p *Plan) ([]byte, error) {
	p.SHA256 = noDigest
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(p); err != nil {
		return nil, fmt.Errorf("writing the plan: %w", err)
	}
	raw := b.Bytes()
	p.SHA256 = casefile.Digest(raw)
	at := bytes.LastIndex(raw, []byte(noDigest))
	copy(raw[at:], p.SHA256)
	return raw, nil
}

// PathIn is where a file of the plan lies when the case is in dir.
func PathIn(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return &Problem{Code: CodeDisk, Message: "creating " + filepath.Dir(path), Hint: "look at the rights and the free space of the directory, then run the command again", Err: err}
	}
	return casefile.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// share lets a team read the file that was put into its own folder; the files
// of the case stay private.
func share(path string) error {
	if !filepath.IsAbs(path) {
		return nil
	}
	if err := os.Chmod(path, 0o644); err != nil {
		return &Problem{Code: CodePermission, Message: "setting the rights of " + path, Hint: "set them by hand", Err: err}
	}
	return nil
}

// formerFiles are the files of the plan that stands in the directory, by path.
func formerFiles(dir string) map[string]string {
	files := map[string]string{}
	if former, err := Read(dir); err == nil {
		for _, f := range former.Files {
			files[f.Path] = f.SHA256
		}
	}
	return files
}

// free refuses to overwrite a file outside the case that is not the former plan's as it wrote it.
func free(path, formerDigest, digest string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &Problem{Code: CodePermission, Message: "reading " + path, Hint: "look at the rights of the file, then run the command again", Err: err}
	}
	if found := casefile.Digest(raw); found == formerDigest || found == digest {
		return nil
	}
	return &Problem{Code: CodeExists, Message: path + " exists and is not as twinrow wrote it", Hint: "move it away; for a migration, you may name another --migrations-dir"}
}

// removeStale removes files of the former plan that the new one does not
// have, unless a person changed them.
func removeStale(dir string, former map[string]string) error {
	for path, digest := range former {
		full := PathIn(dir, path)
		raw, err := os.ReadFile(full)
		if err != nil || casefile.Digest(raw) != digest {
			continue
		}
		if err := os.Remove(full); err != nil {
			return &Problem{Code: CodeDisk, Message: "removing " + full + " of the former plan", Hint: "remove it by hand", Err: err}
		}
	}
	return nil
}

// replaceable refuses while the journal says that a plan was begun and not taken back.
func replaceable(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, Journal))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(raw) == 0 {
		return nil
	}
	if err != nil {
		return &Problem{Code: CodePermission, Message: "reading the journal", Hint: "a case belongs to the user who scanned; run as that user", Err: err}
	}
	if !begun(raw) {
		return nil
	}
	return &Problem{Code: CodeExists, Message: "the plan was carried out, and the way back needs it", Hint: "take it back with `twinrow undo " + dir + "`, or scan again into a new case"}
}

// begun tells whether a journal speaks of a change that was made, or may have
// been made, and was not taken back.
func begun(raw []byte) bool {
	pending, done := map[string]bool{}, map[string]bool{}
	lines := bytes.Split(raw, []byte("\n"))
	for _, line := range lines[:len(lines)-1] { // what follows the last newline was torn off by a crash
		var record struct {
			Event string `json:"event"`
			Data  struct {
				Entry string `json:"entry"`
			} `json:"data"`
		}
		if json.Unmarshal(line, &record) != nil {
			return true
		}
		switch entry := record.Data.Entry; record.Event {
		case "committing":
			pending[entry] = true
		case "rolled-back":
			delete(pending, entry)
		case "committed":
			done[entry] = true
		case "undone":
			clear(pending)
			clear(done)
		}
	}
	return len(pending)+len(done) > 0
}
