package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
	"twinrow/report"
	"twinrow/report/csv"
	"twinrow/report/html"
)

// writePage writes a page and, where it cannot hold all groups, a CSV file
// with all of them beside it.
func (p *program) writePage(c *cli.Context, path string, doc *report.Document) error {
	var page bytes.Buffer
	left, err := html.Render(&page, doc, html.Options{})
	if err != nil {
		return fmt.Errorf("rendering the report: %w", err)
	}
	beside := ""
	if left > 0 {
		if beside, err = writeBeside(path, doc, &page); err != nil {
			return err
		}
	}
	if err := casefile.WriteFile(path, func(w io.Writer) error { _, err := page.WriteTo(w); return err }); err != nil {
		return err
	}
	if beside != "" {
		p.say(c, "%s are not on the page; all are in %s", report.Count(left, "group"), beside)
	}
	return nil
}

// writeBeside writes the CSV file, and the page anew so that it names the file.
func writeBeside(path string, doc *report.Document, page *bytes.Buffer) (string, error) {
	beside := strings.TrimSuffix(strings.TrimSuffix(path, ".html"), ".htm") + ".csv"
	var all bytes.Buffer
	if err := csv.Render(&all, doc); err != nil {
		return "", fmt.Errorf("rendering the report: %w", err)
	}
	if err := ours(path, beside, all.Bytes()); err != nil {
		return "", err
	}
	page.Reset()
	if _, err := html.Render(page, doc, html.Options{CSV: filepath.Base(beside), CSVSHA256: casefile.Digest(all.Bytes())}); err != nil {
		return "", fmt.Errorf("rendering the report: %w", err)
	}
	return beside, casefile.WriteFile(beside, func(w io.Writer) error { _, err := all.WriteTo(w); return err })
}

// digestOnPage is how a page names the digest of the file beside it.
var digestOnPage = regexp.MustCompile(html.DigestMark + `" content="([0-9a-f]{64})"`)

// ours refuses to overwrite a CSV file that is not as twinrow wrote it: a
// person may have filled in which rows stay. What twinrow wrote is known by
// the digest on the page that stands there.
func ours(path, beside string, now []byte) error {
	there, err := os.ReadFile(beside)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", beside, err)
	}
	former, _ := os.ReadFile(path) // without a page it is not known who wrote the file
	digest := casefile.Digest(there)
	if match := digestOnPage.FindSubmatch(former); bytes.Equal(there, now) || match != nil && string(match[1]) == digest {
		return nil
	}
	return &key.Problem{Code: key.CodeExists, Message: beside + " exists and is not as twinrow wrote it", Hint: "move it away, or name another file with -o: somebody may have chosen in it which rows stay"}
}
