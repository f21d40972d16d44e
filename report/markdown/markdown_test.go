package markdown_test

import (
	"strings"
	"testing"

	"twinrow/report"
	"twinrow/report/internal/fixture"
	"twinrow/report/markdown"
)

func render(t *testing.T, doc *report.Document) string {
	t.Helper()
	var b strings.Builder
	if err := markdown.Render(&b, doc); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for name, doc := range map[string]*report.Document{
		"incident": fixture.Document(),
		"planned":  fixture.MustBuild(report.Extras{Tool: fixture.Tool, Plan: fixture.Plan()}),
		"none":     fixture.Empty("tickets_payment_key"),
		"facts":    fixture.Facts(),
		"two":      fixture.TwoTables(),
		"many":     fixture.Many(300),
		"redacted": report.Redact(fixture.Document()),
		"markup":   fixture.Hostile(fixture.HostileTexts["markup"]),
		"markdown": fixture.Hostile(fixture.HostileTexts["markdown"]),
	} {
		fixture.Golden(t, name+".md", render(t, doc))
	}
}

// outside is a text without its code spans, in which nothing takes effect.
func outside(line string) string {
	var b strings.Builder
	for i, part := range strings.Split(line, "`") {
		if i%2 == 0 {
			b.WriteString(part)
		}
	}
	return b.String()
}

func TestHostileTextsHaveNoEffect(t *testing.T) {
	for name, text := range fixture.HostileTexts {
		plain := strings.Count(render(t, fixture.Hostile("x")), "\n")
		out := render(t, fixture.Hostile(text))
		if n := strings.Count(out, "\n"); n != plain && text != "" {
			t.Errorf("%s: there are %d lines, not %d", name, n, plain)
		}
		for line := range strings.Lines(strings.ReplaceAll(out, "\\`", "")) {
			line = outside(line)
			for _, forbidden := range []string{"<script", "<img", "<b>", "](", "](http", "http://", "www.", "@team", "\x1b", "\u202e"} {
				if strings.Contains(line, forbidden) && !strings.Contains(line, `\[`) {
					t.Errorf("%s: %q in %s", name, forbidden, line)
				}
			}
		}
	}
}

func TestEveryRowOfTheTableHasAsManyCells(t *testing.T) {
	for name, text := range fixture.HostileTexts {
		cells := 0
		for line := range strings.Lines(render(t, fixture.Hostile(text))) {
			if !strings.HasPrefix(line, "| ") {
				continue
			}
			if n := strings.Count(line, "|"); cells == 0 {
				cells = n
			} else if n != cells {
				t.Errorf("%s: %d instead of %d bars in %s", name, n, cells, line)
			}
		}
		if cells == 0 {
			t.Errorf("%s: there is no table", name)
		}
	}
}
