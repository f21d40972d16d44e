package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// mayImport is who may import whom, by folder; a folder that ends in /... means
// what is below it too. The first entry that fits a package counts.
var mayImport = []struct {
	packages string
	ours     []string
}{
	{"cmd/...", []string{"cmd/...", "detect/...", "remediate/...", "report/...", "queries", "templates"}},
	{"queries", nil},
	{"templates", nil},
	{"detect/key", nil},
	{"detect/casefile", []string{"detect/key"}},
	{"detect/casefile/yaml", []string{"detect/key"}},
	{"detect/casefile/proof", nil},
	{"detect/casefile/config", []string{"detect/key", "detect/casefile", "detect/casefile/yaml"}},
	{"detect/source/dynamodb", []string{"detect/key", "detect/source", "detect/source/file"}},
	{"detect/source/sourcetest/...", []string{"detect/key", "detect/source", "queries"}},
	{"detect/source/...", []string{"detect/key", "detect/source", "queries"}},
	{"detect/classify", []string{"detect/key", "detect/casefile", "detect/source"}},
	{"detect/suspect", []string{"detect/key", "detect/casefile", "detect/source"}},
	{"detect/scan", []string{"detect/key", "detect/casefile", "detect/source", "detect/classify"}},
	{"remediate/survivor", []string{"detect/casefile", "detect/key"}},
	{"remediate/plan", []string{"detect/casefile", "detect/key"}},
	{"remediate/dialect", []string{"remediate/plan", "queries", "templates"}},
	{"remediate/journal", nil},
	{"remediate/apply", []string{"remediate/plan", "remediate/dialect", "remediate/journal", "queries", "detect/source"}},
	{"remediate/notify/...", []string{"detect/casefile", "templates", "remediate/notify/..."}},
	{"remediate/probe/...", []string{"detect/casefile", "detect/casefile/yaml", "detect/casefile/proof", "remediate/probe/..."}},
	{"report/...", []string{"detect/casefile", "detect/casefile/proof", "report/...", "templates"}},
}

// onlyIn names the packages that a third party is kept behind. Standard
// packages that act on the world are listed for the folders that may not.
var onlyIn = []struct {
	library  string
	packages []string
}{
	{"github.com/jackc/pgx", []string{"detect/source/postgres", "remediate/apply"}},
	{"zombiezen.com/go/sqlite", []string{"detect/source/sqlite", "remediate/apply"}},
	{"github.com/aws/", []string{"detect/source/dynamodb"}},
	{"github.com/urfave/cli", []string{"cmd/..."}},
	{"github.com/olekukonko/tablewriter", []string{"report/table"}},
	{"github.com/sendgrid/", []string{"remediate/notify/sendgrid"}},
	{"github.com/wneessen/go-mail", []string{"remediate/notify/smtp"}},
	{"github.com/klauspost/compress", []string{"detect/source/file"}},
	{"golang.org/x/net/http2", []string{"remediate/probe/internal/h2"}},
	{"net/http", []string{"cmd/...", "remediate/notify/sendgrid/...", "remediate/probe/..."}},
	{"net/smtp", nil},
}

func TestImportsKeepTheHouse(t *testing.T) {
	if bad := violations(t, os.DirFS("../..")); len(bad) > 0 {
		t.Errorf("imports that the design forbids:\n%s", strings.Join(bad, "\n"))
	}
}

// TestImportCheckSeesViolations proves the check itself on seeded ones.
func TestImportCheckSeesViolations(t *testing.T) {
	file := func(imports ...string) *fstest.MapFile {
		text := "package x\n"
		for _, i := range imports {
			text += fmt.Sprintf("import _ %q\n", i)
		}
		return &fstest.MapFile{Data: []byte(text)}
	}
	seeded := fstest.MapFS{
		"detect/scan/a.go":                   file("twinrow/remediate/apply"),
		"detect/scan/a_test.go":              file("twinrow/remediate/apply"),
		"detect/source/b.go":                 file("net/http"),
		"remediate/plan/c.go":                file("github.com/jackc/pgx/v5", "twinrow/detect/casefile"),
		"remediate/apply/d.go":               file("twinrow/report/table"),
		"report/html/e.go":                   file("twinrow/detect/source", "twinrow/templates"),
		"cmd/twinrow/f.go":                   file("twinrow/report/html", "github.com/urfave/cli/v2"),
		"remediate/probe/g.go":               file("github.com/sendgrid/sendgrid-go/helpers/mail"),
		"detect/newroom/h.go":                file(),
		"cmd/twinrow/testdata/module/bad.go": file("twinrow/remediate/apply"),
	}
	want := []string{
		"detect/newroom is a package that the design does not know",
		"detect/scan/a.go imports twinrow/remediate/apply",
		"detect/source/b.go imports net/http",
		"remediate/apply/d.go imports twinrow/report/table",
		"remediate/plan/c.go imports github.com/jackc/pgx/v5",
		"remediate/probe/g.go imports github.com/sendgrid/sendgrid-go/helpers/mail",
		"report/html/e.go imports twinrow/detect/source",
	}
	if diff := cmp.Diff(want, violations(t, seeded)); diff != "" {
		t.Errorf("seeded violations (-want +got):\n%s", diff)
	}
}

// violations lists the forbidden imports of all files but tests, sorted.
func violations(t *testing.T, root fs.FS) []string {
	t.Helper()
	var bad []string
	seen := 0
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || len(entry.Name()) > 1 && strings.HasPrefix(entry.Name(), ".")) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		seen++
		found, err := violationsOf(root, name)
		bad = append(bad, found...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatal("no Go file was looked at")
	}
	slices.Sort(bad)
	return slices.Compact(bad)
}

func violationsOf(root fs.FS, name string) ([]string, error) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	folder := path.Dir(name)
	rule := slices.IndexFunc(mayImport, func(r struct {
		packages string
		ours     []string
	}) bool {
		return covers(r.packages, folder)
	})
	if rule < 0 {
		return []string{folder + " is a package that the design does not know"}, nil
	}
	var bad []string
	for _, spec := range parsed.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		if !allowed(folder, imported, mayImport[rule].ours) {
			bad = append(bad, name+" imports "+imported)
		}
	}
	return bad, nil
}

func allowed(folder, imported string, ours []string) bool {
	if own, ok := strings.CutPrefix(imported, "twinrow/"); ok {
		return own == folder || slices.ContainsFunc(ours, func(pattern string) bool { return covers(pattern, own) })
	}
	for _, rule := range onlyIn {
		if strings.HasPrefix(imported, rule.library) {
			return slices.ContainsFunc(rule.packages, func(pattern string) bool { return covers(pattern, folder) })
		}
	}
	return true
}

func covers(pattern, folder string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
		return folder == prefix || strings.HasPrefix(folder, prefix+"/")
	}
	return folder == pattern
}
