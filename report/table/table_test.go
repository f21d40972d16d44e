package table_test

import (
	"errors"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/report/internal/fixture"
	"twinrow/report/table"
)

func render(t *testing.T, doc *report.Document, opts table.Options) string {
	t.Helper()
	var b strings.Builder
	if err := table.Render(&b, doc, opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for name, doc := range map[string]*report.Document{
		"incident":  fixture.Document(),
		"facts":     fixture.Facts(),
		"planned":   fixture.MustBuild(report.Extras{Tool: fixture.Tool, Plan: fixture.Plan()}),
		"none":      fixture.Empty(),
		"unique":    fixture.Empty("tickets_payment_key"),
		"two":       fixture.TwoTables(),
		"many":      fixture.Many(300),
		"crowd":     fixture.Crowd(1000),
		"redacted":  report.Redact(fixture.Document()),
		"direction": fixture.Hostile(fixture.HostileTexts["directions"]),
	} {
		for _, width := range []int{80, 120} {
			fixture.Golden(t, name+"-"+strconv.Itoa(width)+".txt", render(t, doc, table.Options{Width: width, Lines: 30}))
		}
		fixture.Golden(t, name+"-all.txt", render(t, doc, table.Options{Width: 100}))
	}
}

func TestTheFirstScreenHasThirtyLines(t *testing.T) {
	docs := map[string]*report.Document{"incident": fixture.Document(), "facts": fixture.Facts(), "two": fixture.TwoTables(), "many": fixture.Many(300), "crowd": fixture.Crowd(100_000), "none": fixture.Empty()}
	docs["redacted"] = report.Redact(fixture.MustBuild(report.Extras{Plan: fixture.Plan(), Probes: []report.Probe{{Name: strings.Repeat("name ", 100)}}}))
	tables := fixture.TwoTables()
	for range 30 {
		tables.Tables = append(tables.Tables, tables.Tables[0])
	}
	docs["tables"] = tables
	for name, text := range fixture.HostileTexts {
		docs["hostile "+name] = fixture.Hostile(text)
	}
	docs["hostile long"] = fixture.Hostile(strings.Repeat("long text ", 1000))
	docs["hostile word"] = fixture.Hostile(strings.Repeat("x", 10_000))
	for name, doc := range docs {
		for _, width := range []int{72, 80, 100, 120, 200} {
			out := render(t, doc, table.Options{Width: width, Lines: 30})
			if n := strings.Count(out, "\n"); n > 30 {
				t.Errorf("%s: at %d columns there are %d lines:\n%s", name, width, n, out)
			}
		}
	}
}

func TestAnEmptyResultNamesTheKeysThatFindMore(t *testing.T) {
	doc := fixture.Empty()
	doc.Tables[0].KeyLab = &casefile.KeyLab{Says: []string{"folded, the key would find 3 groups"}}
	if out := render(t, doc, table.Options{Width: 80, Lines: 30}); !strings.Contains(out, "Other keys       Folded, the key would find 3 groups.") {
		t.Errorf("it is not said:\n%s", out)
	}
}

func TestColor(t *testing.T) {
	plain := render(t, fixture.Document(), table.Options{})
	if strings.Contains(plain, "\x1b") {
		t.Error("there are escapes though no colour was asked for")
	}
	colored := render(t, fixture.Document(), table.Options{Color: true})
	if !strings.Contains(colored, "\x1b[31mrace\x1b[0m") {
		t.Error("a race has no colour")
	}
	stripped := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(colored, "")
	if trim(stripped) != trim(plain) {
		t.Errorf("without its colours the text is\n%s", stripped)
	}
}

// trim drops the spaces at the ends of lines.
func trim(text string) string { return regexp.MustCompile(" +\n").ReplaceAllString(text, "\n") }

func TestHostileTextsNeitherBreakOutNorBreakTheLines(t *testing.T) {
	hostile := map[string]string{"long": strings.Repeat("long text ", 1000), "long word": strings.Repeat("x", 10_000), "wide": strings.Repeat("漢字", 5000), "marks": strings.Repeat("e\u0301", 5000)}
	maps.Copy(hostile, fixture.HostileTexts)
	for name, text := range hostile {
		for _, width := range []int{0, 72, 80, 120, 200} {
			out := render(t, fixture.Hostile(text), table.Options{Width: width})
			out += render(t, fixture.Hostile(text), table.Options{Width: width, Lines: 30})
			for r := range strings.SplitSeq(strings.ReplaceAll(out, "\n", ""), "") {
				if c, _ := strconv.Unquote(`"` + r + `"`); r != `\` && r != `"` && c == "" {
					t.Fatalf("%s: %q is in the output", name, r)
				}
			}
			for line := range strings.Lines(out) {
				line = strings.TrimSuffix(line, "\n")
				if limit := max(width, 72); width > 0 && twwidth.Width(line) > limit && !strings.Contains(line, "  twinrow ") {
					t.Errorf("%s: at %d columns a line has %d: %s", name, width, twwidth.Width(line), line)
				}
			}
			if n := strings.Count(out, "\n"); n > 220 {
				t.Errorf("%s: at %d columns there are %d lines", name, width, n)
			}
		}
	}
}

func TestNothingIsWiderThanAsked(t *testing.T) {
	for _, doc := range []*report.Document{fixture.Document(), fixture.Many(300), fixture.Crowd(100_000), fixture.TwoTables()} {
		for width := 72; width < 220; width += 7 {
			for line := range strings.Lines(render(t, doc, table.Options{Width: width})) {
				if wide := twwidth.Width(strings.TrimSuffix(line, "\n")); wide > width && !strings.Contains(line, "twinrow ") {
					t.Errorf("at %d columns a line has %d: %s", width, wide, line)
				}
			}
		}
	}
}

func TestTheLongestWordsFitEightyColumns(t *testing.T) {
	doc := fixture.Crowd(100_000)
	g := &doc.Tables[0].Groups[0]
	g.Number, g.Class, g.Strength, g.Mixed = 999_999, casefile.SameTransaction, casefile.Possible, true
	g.Choice = &report.GroupChoice{Reason: "earliest created_at"}
	for i := range g.Rows {
		gap, at := int64(3_155_695_199_000_000), "2025-12-24T03:20:37.914123Z"
		g.Rows[i].Time, g.Rows[i].Fate = &at, report.Keep
		g.Rows[i].ID[0].Value = new("550e8400-e29b-41d4-a716-44665544" + strconv.Itoa(1000+i))
		if i > 0 {
			g.Rows[i].GapUS = &gap
		}
	}
	for line := range strings.Lines(render(t, doc, table.Options{Width: 80})) {
		if wide := twwidth.Width(strings.TrimSuffix(line, "\n")); wide > 80 {
			t.Errorf("a line has %d columns: %s", wide, line)
		}
	}
}

func TestUnknownIsSaidOnce(t *testing.T) {
	if n := strings.Count(render(t, fixture.Many(20), table.Options{}), "transaction times"); n != 1 {
		t.Errorf("it is said %d times", n)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAWriteErrorIsReported(t *testing.T) {
	if err := table.Render(broken{}, fixture.Document(), table.Options{}); err == nil {
		t.Error("no error")
	}
}
