// Package templates holds the mails and pages that twinrow writes, embedded in
// the program, and for each a type that says all it may show and a function
// that writes it.
//
// It must not know where a text comes from, nor compute one: what it is given
// it places and escapes.
package templates

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	htmltemplate "html/template"
	"io"
)

// Page is the report of a case. Texts are plain, for the template escapes
// them, and neither control characters nor marks of direction are left in them.
type Page struct {
	Title, Heading, Lead string
	// Contents leads to the tables where there are several.
	Contents []PageLink
	Figures  []PageFigure
	// Notes are what a reader must know before the rest, as that values are masked.
	Notes  []string
	Next   []PageStep
	Done   []string
	Tables []PageTable
	// About are facts about the report itself.
	About []PageFact
}

// PageLink leads to a place on the page.
type PageLink struct{ Anchor, Name, Text string }

// PageFigure is one large figure with what it counts.
type PageFigure struct{ Name, Value, Detail string }

// PageStep is something to do next and the command for it.
type PageStep struct{ Does, Command string }

// PageFact is one line of a list of facts; Code is shown as code after Value.
type PageFact struct{ Name, Value, Code string }

// PageTable is one table of the case.
type PageTable struct {
	Anchor string
	// Heading and Lead are empty where the table is the only one: the page's own serve.
	Heading, Lead string
	Figures       []PageFigure
	Notes         []string
	Chart         *PageChart
	Groups        []PageGroup
	// More says how many groups are not on the page, and MoreCommand how to
	// get them; empty where all are.
	More, MoreCommand string
	Unknown           []string
	// Rules are how it was decided.
	Rules []PageFact
}

// PageGroup is one group, in the list and by itself.
type PageGroup struct {
	Anchor string
	Number string
	Key    []PagePair
	// Class is the word, ClassName the one of the style sheet.
	Class, ClassName, Sureness string
	Gap, First, IDs, Copies    string
	Differs                    bool
	Reasons                    []string
	// Decision is what the plan decided; empty where there is none.
	Decision string
	Rows     []PageRow
	// MoreRows and MoreColumns say what of the group is not on the page.
	MoreRows, MoreColumns string
	Columns               []PageColumn
}

// PagePair is a part of a key. Null is true where its value is NULL.
type PagePair struct {
	Name string
	PageValue
}

// PageValue is one value.
type PageValue struct {
	Text string
	Null bool
}

// PageRow heads the column in which a row of a group stands.
type PageRow struct{ ID, Time, Gap, Fate string }

// PageColumn is one column of the rows side by side.
type PageColumn struct {
	Name string
	// Differs is true where the evidence says that the rows differ here.
	Differs bool
	// Remark says more of the column, as that it was not compared.
	Remark string
	// Same is true where all rows show the same text, which is then the one value.
	Same   bool
	Values []PageValue
	// Span is the number of rows.
	Span int
}

// PageChart is the drawing of the gaps. Lengths are in units of its view box.
type PageChart struct {
	// ID is unique on the page.
	ID, Title, Description string
	Width, Height          float64
	// Top and Base are where the area of the marks begins and ends.
	Top, Base float64
	Zones     []PageZone
	Ticks     []PageTick
	Dots      []PageDot
	Bars      []PageBar
	Legend    []PageLegend
	// Note explains the height of bars; empty for dots.
	Note string
}

// PageZone is the part of the axis that a class's window covers.
type PageZone struct {
	X, Width, Middle float64
	ClassName, Label string
	// Wide is true where the label fits.
	Wide bool
}

// PageTick is a mark on the axis.
type PageTick struct {
	X     float64
	Label string
}

// PageDot is one gap; Anchor is empty where its group is not on the page.
type PageDot struct {
	X, Y, R                  float64
	ClassName, Label, Anchor string
}

// PageBar is several gaps.
type PageBar struct {
	X, Y, Width, Height float64
	ClassName, Label    string
}

// PageLegend explains a colour.
type PageLegend struct{ ClassName, Label string }

//go:embed pages
var pageFiles embed.FS

var (
	pageHTML  = htmltemplate.Must(htmltemplate.ParseFS(pageFiles, "pages/*.html"))
	pageStyle = mustRead("pages/report.css")
)

func mustRead(name string) string {
	text, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err) // the file is part of the program
	}
	return string(text)
}

// ExecutePage writes the report as one page that asks nothing of any network:
// its policy allows its own style sheet, by digest, and nothing else.
func ExecutePage(w io.Writer, page Page) error {
	digest := sha256.Sum256([]byte(pageStyle))
	return pageHTML.ExecuteTemplate(w, "report.html", struct {
		Page
		Policy string
		Style  htmltemplate.CSS
	}{
		Page:   page,
		Policy: "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'; base-uri 'none'; form-action 'none'",
		Style:  htmltemplate.CSS(pageStyle),
	})
}
