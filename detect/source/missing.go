package source

import (
	"os"
	"path/filepath"

	"twinrow/detect/key"
)

// MissingFile is the Problem of a file that does not exist, with the files
// beside it that are named alike. path is absolute.
func MissingFile(path string) *key.Problem {
	folder := filepath.Dir(path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return &key.Problem{Code: key.CodeNotFound, Message: "no file " + path + ": its folder cannot be read", Hint: "check the path " + folder}
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	p := key.NotFound("file", filepath.Base(path), names)
	p.Message += " in " + folder
	if p.Hint == "" {
		p.Hint = "the folder has no files; check the path"
	}
	return p
}
