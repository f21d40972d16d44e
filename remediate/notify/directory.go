package notify

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"twinrow/detect/casefile"
)

// Prefixes of the hidden directories that exist while drafts are replaced.
const (
	partialPrefix = ".drafts.partial-"
	formerPrefix  = ".drafts.former-"
)

// replaceDirectory lets fill write into a hidden directory beside the drafts
// and then puts that in their place. The caller holds the ledger's lock.
func replaceDirectory(caseDir string, fill func(dir string) error) (err error) {
	if err := sweep(caseDir); err != nil {
		return diskProblem("clearing what an earlier draft left", err)
	}
	partial, err := os.MkdirTemp(caseDir, partialPrefix)
	if err != nil {
		return diskProblem("making the directory of drafts", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(partial))
		}
	}()
	if err := fill(partial); err != nil {
		return diskProblem("writing the drafts", err)
	}
	return diskProblem("putting the drafts in their place", swap(caseDir, partial))
}

// swap moves the drafts away, the new ones there, and removes the former ones.
func swap(caseDir, partial string) error {
	drafts := filepath.Join(caseDir, DraftsName)
	former := filepath.Join(caseDir, formerPrefix+filepath.Base(partial)[len(partialPrefix):])
	moved := true
	if err := os.Rename(drafts, former); errors.Is(err, fs.ErrNotExist) {
		moved = false
	} else if err != nil {
		return err
	}
	if err := os.Rename(partial, drafts); err != nil {
		if moved {
			err = errors.Join(err, os.Rename(former, drafts))
		}
		return err
	}
	return errors.Join(syncDirectory(caseDir), os.RemoveAll(former))
}

// sweep removes what a draft that was killed left behind; drafts that it had
// moved away and not replaced are put back.
func sweep(caseDir string) error {
	former, err := filepath.Glob(filepath.Join(caseDir, formerPrefix+"*"))
	if err != nil {
		return err
	}
	drafts := filepath.Join(caseDir, DraftsName)
	for _, dir := range former {
		if _, err := os.Stat(drafts); errors.Is(err, fs.ErrNotExist) {
			err = os.Rename(dir, drafts)
			if err != nil {
				return err
			}
		} else if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	partials, err := filepath.Glob(filepath.Join(caseDir, partialPrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range partials {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// diskProblem gives an error of the disk its next step; a Problem stays as it is.
func diskProblem(doing string, err error) error {
	var problem *Problem
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &problem):
		return err
	case errors.As(err, &path), errors.As(err, &link):
		return &Problem{Code: casefile.CodeDisk, Message: doing, Hint: "look at the rights and the free space of the directory, then run the command again", Err: err}
	}
	return err
}

// LoadDrafts reads the index of the drafts and checks that they are of the
// case as it is now.
func LoadDrafts(opened *casefile.Opened) (*Drafts, error) {
	d, err := readIndex(opened.Dir)
	if err != nil {
		return nil, err
	}
	if d.Case != opened.ID || d.CaseSHA256 != opened.SHA256 {
		return nil, &Problem{Code: casefile.CodeTampered, Message: "the drafts were made from another case, or the case changed since", Hint: "run `twinrow notify draft` again"}
	}
	return d, nil
}

func readIndex(dir string) (*Drafts, error) {
	raw, err := os.ReadFile(filepath.Join(dir, DraftsName, IndexName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Problem{Code: casefile.CodeNotFound, Message: "the case has no drafts", Hint: "run `twinrow notify draft` first"}
	case err != nil:
		return nil, &Problem{Code: casefile.CodePermission, Message: "reading the drafts", Hint: "a case belongs to the user who scanned; run as that user", Err: err}
	}
	if err := casefile.CheckSchema(IndexName, raw, DraftsSchema); err != nil {
		return nil, err
	}
	var d Drafts
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, &Problem{Code: casefile.CodeTampered, Message: "reading the list of drafts", Hint: "run `twinrow notify draft` again", Err: err}
	}
	return &d, nil
}

// LoadMessage reads one draft back as it will be sent. A draft that was
// changed since it was made is refused, for nobody checked what it says now.
func LoadMessage(opened *casefile.Opened, m Mail) (Message, error) {
	changed := &Problem{Code: casefile.CodeTampered, Message: filepath.Base(m.File) + " was changed after it was drafted", Hint: "draft again, or send that one from a mail program"}
	raw, err := os.ReadFile(filepath.Join(opened.Dir, DraftsName, filepath.Base(m.File)))
	if err != nil {
		changed.Err = err
		return Message{}, changed
	}
	if casefile.Digest(raw) != m.SHA256 {
		return Message{}, changed
	}
	message, err := parseEML(raw)
	if err != nil || message.To.Address != m.To {
		changed.Err = err
		return Message{}, changed
	}
	message.Case, message.Mail = opened.ID, m.ID
	return message, nil
}
