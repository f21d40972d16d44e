package csv_test

import (
	stdcsv "encoding/csv"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/report/csv"
	"twinrow/report/internal/fixture"
)

func render(t *testing.T, doc *report.Document) string {
	t.Helper()
	var b strings.Builder
	if err := csv.Render(&b, doc); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func read(t *testing.T, text string) [][]string {
	t.Helper()
	lines, err := stdcsv.NewReader(strings.NewReader(text)).ReadAll() // every line as long as the first, or an error
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestGolden(t *testing.T) {
	fixture.Golden(t, "incident.csv", render(t, fixture.Document()))
	fixture.Golden(t, "planned.csv", render(t, fixture.MustBuild(report.Extras{Plan: fixture.Plan()})))
	fixture.Golden(t, "facts.csv", render(t, fixture.Facts()))
	fixture.Golden(t, "none.csv", render(t, fixture.Empty()))
	fixture.Golden(t, "two.csv", render(t, fixture.TwoTables()))
	fixture.Golden(t, "redacted.csv", render(t, report.Redact(fixture.Document())))
}

func TestALineARow(t *testing.T) {
	lines := read(t, render(t, fixture.Many(5000)))
	if len(lines) != 10_001 {
		t.Errorf("there are %d lines", len(lines))
	}
}

func TestHostileTextsAreReadBackAndStartNoFormula(t *testing.T) {
	for name, text := range fixture.HostileTexts {
		for _, line := range read(t, render(t, fixture.Hostile(text)))[1:] {
			for _, cell := range line {
				if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
					t.Errorf("%s: a cell begins %q", name, cell)
				}
				if strings.ContainsAny(cell, "\x1b\r\x00\u202e\u009b") {
					t.Errorf("%s: %q holds what a terminal acts on", name, cell)
				}
			}
		}
	}
}

func TestIdsComeBack(t *testing.T) {
	doc := fixture.Document()
	ids := []string{"-5", "=1", "'=1", "007"}
	for i := range ids {
		doc.Tables[0].Groups[i].Rows[0].ID[0].Value = &ids[i]
	}
	var got []string
	for i, line := range read(t, render(t, doc))[1:] {
		if i%2 == 0 {
			got = append(got, casefile.Unguard(line[6]))
		}
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("ids (-put in +read back):\n%s", diff)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAWriteErrorIsReported(t *testing.T) {
	if err := csv.Render(broken{}, fixture.Many(2000)); err == nil {
		t.Error("no error")
	}
}
