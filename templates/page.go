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
	// Answers are those of the only table; empty where there are several.
	Answers []PageAnswer
	// Notes are what a reader must know before the rest, as that values are masked.
	Notes    []string
	Next     []PageStep
	Checks   []PageCheck
	Timeline []PageEvent
	Tables   []PageTable
	// About are facts about the report itself, Meta the same for a program.
	About []PageFact
	Meta  []PageMeta
}

// PageMeta is a fact for a program.
type PageMeta struct{ Name, Content string }

// PageLink leads to a place on the page; From names the field that Text is made from.
type PageLink struct{ Anchor, Name, Text, From string }

// PageFigure is one large figure with what it counts and the field it stands in.
type PageFigure struct{ Name, Value, Detail, From string }

// PageAnswer is a question of the first screen; From names the fields that answer it.
type PageAnswer struct{ Question, Text, From string }

// PageCheck is one thing that ends the incident. StateClass is the state's
// word in the style sheet.
type PageCheck struct{ Name, State, StateClass, Text, Detail, From string }

// PageEvent is one line of the timeline; At is RFC 3339, Shown the same for a person.
type PageEvent struct{ At, Shown, Text, From string }

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
	Answers       []PageAnswer
	Notes         []string
	Charts        []PageChart
	Groups        []PageGroup
	// More says how many groups are not on the page, and MoreCommand how to
	// get them; empty where all are.
	More, MoreCommand string
	Unknown           []string
	// Keys are what other keys would have found, KeysSay sentences on them.
	Keys     []PageTrial
	KeysSay  []string
	KeysFrom string
	// Facts are lists with a heading each, as on the clock.
	Facts []PageFacts
	// Rules are how it was decided.
	Rules []PageFact
}

// PageTrial is what one key would have found; Given is true for the one asked for.
type PageTrial struct {
	Variant, Key, Groups, Surplus string
	Given                         bool
}

// PageFacts are sentences under a heading, and From the field they stand in.
type PageFacts struct {
	Heading, From string
	Lines         []string
}

// PageGroup is one group, in the list and by itself.
type PageGroup struct {
	Anchor string
	// From names the group in the evidence.
	From   string
	Number string
	Key    []PagePair
	// Class is the word, ClassName the one of the style sheet.
	Class, ClassName, Sureness string
	Gap, First, IDs, Copies    string
	// SortGap is the least gap in microseconds, SortRows the number of rows:
	// what the script sorts by.
	SortGap, SortRows string
	Differs           bool
	Reasons           []string
	// Used is what tells that rows were used after they were written.
	Used []string
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

// PageValue is one value. Null is true for what is none: NULL, or Text.
type PageValue struct {
	Text string
	Null bool
	// Part is what of Text differs from the other rows, and After what follows
	// it; Text is then what stands before. Empty where nothing is marked.
	Part, After string
	// Rows says in how many rows it stands, where it is one of several in a place.
	Rows string
}

// PageRow heads the column in which a row of a group stands. Class is that of
// the gap, Written the evidence of the row's transaction; both may be empty.
type PageRow struct {
	ID, Time, Gap, Fate        string
	Class, ClassName, Strength string
	Written                    string
}

// PageColumn is one column of the rows side by side.
type PageColumn struct {
	Name string
	// Differs is true where the evidence says that the rows differ here.
	Differs bool
	// Remark says more of the column, as that it was not compared.
	Remark string
	// Path is the place within the column's JSON; empty for the whole value.
	Path string
	// Same is true where all rows show the same text, which is then the one value.
	Same   bool
	Values []PageValue
	// Span is the number of rows.
	Span int
}

// PageChart is a drawing. Lengths are in units of its view box.
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
	// Panels are the parts of a drawing that share its axis; none for a single one.
	Panels []PagePanel
	Bands  []PageBand
	Waits  []PageWaits
	Legend []PageLegend
	// Note explains the height of bars; empty for dots.
	Note string
	// Says are sentences on what is drawn, and From the field they stand in.
	Says []string
	From string
}

// High is the height of the area of the marks.
func (c PageChart) High() float64 { return c.Base - c.Top }

// PagePanel is a part of a drawing with a ground line of its own.
type PagePanel struct {
	Top, Base, LabelY float64
	Label             string
}

// PageBand is a time with the interval it lies in. Anchor says how
// its name stands to it: "start", "middle" or "end".
type PageBand struct {
	At, From, Width      float64
	Label, Title, Anchor string
}

// PageWaits are the waits of one retry schedule, on a line of their own.
type PageWaits struct {
	Y     float64
	Label string
	Marks []PageTick
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
	pageHTML   = htmltemplate.Must(htmltemplate.ParseFS(pageFiles, "pages/*.html"))
	pageStyle  = mustRead("pages/report.css")
	pageScript = mustRead("pages/report.js")
)

func mustRead(name string) string {
	text, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err) // the file is part of the program
	}
	return string(text)
}

// ExecutePage writes the report as one page that asks nothing of any network:
// its policy allows its own style sheet and script, by digest, and nothing else.
func ExecutePage(w io.Writer, page Page) error {
	return pageHTML.ExecuteTemplate(w, "report.html", struct {
		Page
		Policy string
		Style  htmltemplate.CSS
		Script htmltemplate.JS
	}{
		Page:   page,
		Policy: "default-src 'none'; img-src data:; style-src " + digest(pageStyle) + "; script-src " + digest(pageScript) + "; base-uri 'none'; form-action 'none'",
		Style:  htmltemplate.CSS(pageStyle),
		Script: htmltemplate.JS(pageScript),
	})
}

// digest names a text in a policy.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
