package dialect

import (
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"twinrow/remediate/plan"
)

// migrationFiles writes a migration for each index. It reads the folder only to
// go on with its numbers.
func migrationFiles(opened *plan.Case, works []*plan.Work, t tool, dir string) ([]plan.File, error) {
	place := filepath.ToSlash(filepath.Join(plan.SQLDir, "migrations"))
	look := filepath.Join(opened.Dir, plan.SQLDir, "migrations")
	if dir != "" {
		abs, err := existingDir(dir)
		if err != nil {
			return nil, err
		}
		place, look = abs, abs
	}
	number, separator, err := nextNumber(opened, look, t)
	if err != nil {
		return nil, err
	}
	var files []plan.File
	for _, w := range works {
		if w.Index() == nil {
			continue
		}
		for _, step := range t.arrange(changeFor(w, t)) {
			for _, m := range t.files(number, separator, slug(w.Index().Name)+step.name, step) {
				at := filepath.Join(place, m.name)
				if m.aside && (dir != "" || t.name == "wrangler") {
					at = filepath.Join(plan.SQLDir, m.name)
				}
				files = append(files, plan.File{Path: at, Content: []byte(m.content)})
			}
			number = plusOne(number)
		}
	}
	return files, nil
}

func existingDir(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		var info fs.FileInfo
		if info, err = os.Stat(abs); err == nil && !info.IsDir() {
			err = errors.New("it is not a directory")
		}
	}
	if err != nil {
		return "", &plan.Problem{Code: plan.CodeNotFound, Message: "no migrations folder " + dir, Hint: "name the folder that holds the project's migrations", Err: err}
	}
	return abs, nil
}

// nextNumber goes on with the highest number of a folder, in its width. Files
// of the plan that this one replaces do not count.
func nextNumber(opened *plan.Case, dir string, t tool) (number, separator string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", &plan.Problem{Code: plan.CodePermission, Message: "reading the migrations folder", Hint: "look at the rights of the folder", Err: err}
	}
	former := map[string]bool{}
	if p, err := plan.Read(opened.Dir); err == nil {
		for _, f := range p.Files {
			former[filepath.Base(f.Path)] = true
		}
	}
	separator = "_"
	for _, e := range entries {
		m := t.numbered.FindStringSubmatch(e.Name())
		if m == nil || former[e.Name()] {
			continue
		}
		if number == "" || value(m[1]).Cmp(value(number)) >= 0 {
			number, separator = m[1], m[2]
		}
	}
	at := caseTime(opened)
	switch {
	case number == "" && t.first == "":
		return at, separator, nil
	case number == "":
		return t.first, separator, nil
	case len(number) == len(at) && number < at: // numbered by time
		return at, separator, nil
	default:
		return plusOne(number), separator, nil
	}
}

// caseTime is the time of the case as tools number by it: the same plan gets
// the same names each time it is made.
func caseTime(opened *plan.Case) string {
	at, err := time.Parse(time.RFC3339, opened.CreatedAt)
	if err != nil {
		at = time.Unix(0, 0)
	}
	return at.UTC().Format("20060102150405")
}

func value(digits string) *big.Int {
	n, _ := new(big.Int).SetString(digits, 10) // digits only, by the pattern
	return n
}

// plusOne adds one and keeps the width.
func plusOne(number string) string {
	next := new(big.Int).Add(value(number), big.NewInt(1)).String()
	return strings.Repeat("0", max(0, len(number)-len(next))) + next
}

var notSlug = regexp.MustCompile(`[^a-z0-9_]+`)

func slug(name string) string {
	return "unique_" + strings.Trim(notSlug.ReplaceAllString(strings.ToLower(name), "_"), "_")
}
