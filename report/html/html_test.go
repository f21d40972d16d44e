package html_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	xhtml "golang.org/x/net/html"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/report/html"
	"twinrow/report/internal/fixture"
)

func render(t *testing.T, doc *report.Document) string {
	t.Helper()
	var b strings.Builder
	if _, err := html.Render(&b, doc, html.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// elements parses a page and hands on every element.
func elements(t *testing.T, page string, visit func(*xhtml.Node)) {
	t.Helper()
	root, err := xhtml.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == xhtml.ElementNode {
			visit(n)
		}
	}
}

func attribute(n *xhtml.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *xhtml.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == xhtml.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// shape is the names of all elements in order: what a value must not change.
func shape(t *testing.T, page string) string {
	t.Helper()
	var b strings.Builder
	elements(t, page, func(n *xhtml.Node) { b.WriteString(n.Data + " ") })
	return b.String()
}

func TestGolden(t *testing.T) {
	fixture.Golden(t, "incident.html", render(t, fixture.Document()))
	fixture.Golden(t, "facts.html", render(t, fixture.Facts()))
	fixture.Golden(t, "none.html", render(t, fixture.Empty("tickets_payment_key")))
	fixture.Golden(t, "two.html", render(t, fixture.TwoTables()))
	fixture.Golden(t, "redacted.html", render(t, report.Redact(fixture.MustBuild(report.Extras{Tool: fixture.Tool, Plan: fixture.Plan()}))))
}

func TestThePageAsksForNothing(t *testing.T) {
	for name, doc := range map[string]*report.Document{"incident": fixture.Document(), "two": fixture.TwoTables(), "many": fixture.Many(600), "hostile": fixture.Hostile(fixture.HostileTexts["markup"])} {
		scripts := 0
		elements(t, render(t, doc), func(n *xhtml.Node) {
			switch n.Data {
			case "script":
				scripts++
			case "iframe", "img", "object", "embed", "form", "base":
				t.Errorf("%s: there is a %s", name, n.Data)
			}
			for _, a := range n.Attr {
				switch {
				case strings.HasPrefix(a.Key, "on"), a.Key == "src", a.Key == "style":
					t.Errorf("%s: %s has the attribute %s", name, n.Data, a.Key)
				case a.Key == "href" && !strings.HasPrefix(a.Val, "#") && a.Val != "data:,":
					t.Errorf("%s: %s leads to %s", name, n.Data, a.Val)
				}
			}
		})
		if scripts != 1 {
			t.Errorf("%s: there are %d scripts", name, scripts)
		}
	}
}

func TestThePolicyAllowsTheStyleSheetAndTheScriptAndNothingElse(t *testing.T) {
	var policy, style, script string
	elements(t, render(t, fixture.Document()), func(n *xhtml.Node) {
		if n.Data == "meta" && attribute(n, "http-equiv") == "Content-Security-Policy" {
			policy = attribute(n, "content")
		}
		switch n.Data {
		case "style":
			style += text(n)
		case "script":
			script += text(n)
		}
	})
	digest := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	want := "default-src 'none'; img-src data:; style-src " + digest(style) + "; script-src " + digest(script) + "; base-uri 'none'; form-action 'none'"
	if policy != want {
		t.Errorf("the policy is\n%s\nwant\n%s", policy, want)
	}
	for _, reach := range []string{"url(", "@import", "@font-face", "http"} {
		if strings.Contains(style, reach) {
			t.Errorf("the style sheet holds %s", reach)
		}
	}
	for _, reach := range []string{"http", "fetch", "XMLHttp", "innerHTML", "import", "eval", "new Function", "location"} {
		if strings.Contains(script, reach) {
			t.Errorf("the script holds %s", reach)
		}
	}
}

func TestThePageIsSoundForAScreenReader(t *testing.T) {
	for name, doc := range map[string]*report.Document{
		"incident": fixture.Document(), "two": fixture.TwoTables(), "facts": fixture.Facts(), "none": fixture.Empty(), "many": fixture.Many(600),
		"planned": fixture.MustBuild(report.Extras{Plan: fixture.Plan()}),
	} {
		ids, refers := map[string]bool{}, map[string]bool{}
		seen := map[string]int{}
		level := 0
		elements(t, render(t, doc), func(n *xhtml.Node) {
			seen[n.Data]++
			if id := attribute(n, "id"); id != "" {
				if ids[id] {
					t.Errorf("%s: the id %s stands twice", name, id)
				}
				ids[id] = true
			}
			for ref := range strings.FieldsSeq(attribute(n, "aria-labelledby")) {
				refers[ref] = true
			}
			if href := attribute(n, "href"); strings.HasPrefix(href, "#") {
				refers[href[1:]] = true
			}
			if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
				if next := int(n.Data[1] - '0'); next > level+1 {
					t.Errorf("%s: the heading %q is of level %d after %d", name, text(n), next, level)
				} else {
					level = next
				}
			}
			if n.Data == "html" && attribute(n, "lang") != "en" {
				t.Errorf("%s: the page names no language", name)
			}
			if n.Data == "th" && attribute(n, "scope") == "" {
				t.Errorf("%s: the head %q has no scope", name, text(n))
			}
			if n.Data == "svg" {
				role := "img" // what is in a picture cannot be reached
				for d := range n.Descendants() {
					if d.Data == "a" {
						role = "group"
					}
				}
				if attribute(n, "role") != role || attribute(n, "aria-labelledby") == "" {
					t.Errorf("%s: the drawing has the role %q and no name, or another role than %s", name, attribute(n, "role"), role)
				}
			}
		})
		for ref := range refers {
			if !ids[ref] {
				t.Errorf("%s: #%s leads nowhere", name, ref)
			}
		}
		for _, landmark := range []string{"h1", "main", "header", "footer", "title"} {
			if landmark != "title" && landmark != "header" && seen[landmark] != 1 || seen[landmark] == 0 {
				t.Errorf("%s: there are %d %s", name, seen[landmark], landmark)
			}
		}
	}
}

// TestEverySentenceNamesItsField wants a data-from on or above everything that
// the page says of a case, but for what is said on the page itself.
func TestEverySentenceNamesItsField(t *testing.T) {
	doc := fixture.MustBuild(report.Extras{Tool: fixture.Tool, Plan: fixture.Plan()})
	for name, page := range map[string]string{"facts": render(t, fixture.Facts()), "planned": render(t, doc)} {
		told := 0
		elements(t, page, func(n *xhtml.Node) {
			if n.Data != "dd" && n.Data != "p" && n.Data != "li" && n.Data != "td" || attribute(n, "class") == "mark" {
				return
			}
			from := false
			own := false
			for above := n; above != nil; above = above.Parent {
				from = from || attribute(above, "data-from") != ""
				class := attribute(above, "class")
				own = own || above.Data == "footer" || class == "facts" || class == "list" || class == "legend" || class == "next" || class == "more" || class == "note" || class == "check by-hand"
			}
			if from {
				told++
			} else if !own {
				t.Errorf("%s: %q is from nowhere", name, text(n))
			}
		})
		if told < 20 {
			t.Errorf("%s: only %d sentences name their field", name, told)
		}
	}
}

func TestHostileTextsChangeNoMarkup(t *testing.T) {
	want := shape(t, render(t, fixture.Hostile("x")))
	for name, hostile := range fixture.HostileTexts {
		if hostile == "" {
			continue // without a predicate the page has a line less
		}
		page := render(t, fixture.Hostile(hostile))
		if got := shape(t, page); got != want {
			t.Errorf("%s changes the elements to\n%s", name, got)
		}
		for _, r := range page {
			if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r == 0xfffd {
				t.Fatalf("%s: %q is on the page", name, r)
			}
		}
	}
}

func TestDifferingColumnsComeFirstAndAreMarked(t *testing.T) {
	var first, marked string
	elements(t, render(t, fixture.TwoTables()), func(n *xhtml.Node) {
		if n.Data == "tr" && strings.Contains(attribute(n.Parent.Parent.Parent.Parent, "id"), "g5") {
			if n.Parent.Data == "tbody" && first == "" {
				first = text(n)
			}
		}
		if n.Data == "tr" && attribute(n, "class") == "differs" {
			marked += text(n)
		}
	})
	if want := "phone differsNULL-1+4912345"; first != want || marked != want {
		t.Errorf("first is %q, marked is %q, want %q", first, marked, want)
	}
}

func TestAHundredThousandGroupsStayUnderFiveMegabytes(t *testing.T) {
	page := render(t, fixture.Many(100_000))
	if len(page) > 5_000_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
	for _, want := range []string{"100,000 groups of duplicates", "And 99,500 more groups, which are not on this page", "twinrow report case-dup --format csv"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
}

func TestWideRowsOfSignsStayUnderFiveMegabytes(t *testing.T) {
	doc := fixture.Many(2000)
	long := strings.Repeat(`<"'>`, 2500)
	var wide casefile.Fields
	for i := range 300 {
		wide = append(wide, casefile.Field{Name: fmt.Sprintf("column %d", i), Value: &long})
	}
	for g := range doc.Tables[0].Groups {
		doc.Tables[0].Groups[g].Differs = []string{"column 299"}
		for r := range doc.Tables[0].Groups[g].Rows {
			doc.Tables[0].Groups[g].Rows[r].Values = wide
		}
	}
	page := render(t, doc)
	if len(page) > 5_000_000 || strings.Count(page, `class="group"`) < 10 {
		t.Errorf("the page has %d bytes and %d groups", len(page), strings.Count(page, `class="group"`))
	}
	if !strings.Contains(page, "240 more columns; all are in the JSON.") {
		t.Error("the page does not say that columns are missing")
	}
}

func TestEveryTableHasItsShareOfThePage(t *testing.T) {
	doc := fixture.Many(3000)
	for range 9 {
		doc.Tables = append(doc.Tables, doc.Tables[0])
		last := &doc.Tables[len(doc.Tables)-1]
		last.Groups = append([]report.Group(nil), last.Groups...)
		for i := range last.Groups {
			last.Groups[i].Number += 3000 * (len(doc.Tables) - 1)
		}
	}
	page := render(t, doc)
	for i := range 10 {
		if !strings.Contains(page, fmt.Sprintf(`id="g%d"`, 1+3000*i)) {
			t.Errorf("no group of table %d is on the page", i+1)
		}
	}
	if n := strings.Count(page, `class="group"`); n != 500 {
		t.Errorf("there are %d groups on the page", n)
	}
}

func TestACrowdIsSummarised(t *testing.T) {
	page := render(t, fixture.Crowd(100_000))
	if len(page) > 100_000 || !strings.Contains(page, "99,994 more rows in this group; all are in the CSV.") {
		t.Errorf("the page has %d bytes", len(page))
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAWriteErrorIsReported(t *testing.T) {
	if _, err := html.Render(broken{}, fixture.Document(), html.Options{}); err == nil {
		t.Error("no error")
	}
}
