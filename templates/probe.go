package templates

import (
	htmltemplate "html/template"
	"io"
)

// ProbePage is one probe. Texts are plain, as those of Page.
type ProbePage struct {
	Title, Heading, Lead string
	// Verdict is the word, VerdictClass the one of the style sheet.
	Verdict, VerdictClass string
	// Reasons follow the first, which is Lead. Notes are what a reader must know.
	Reasons, Notes []string
	Figures        []PageFigure
	// Sure says how sure the verdict is.
	Sure         string
	Expectations []ProbeExpectation
	Signs        []PageAnswer
	Grades       []ProbeGrade
	Rounds       []ProbeRound
	// MoreRounds says what of the rounds is not drawn.
	MoreRounds string
	Keys       []ProbeBar
	Responses  []ProbeBar
	// Latency is in the order of its percentiles.
	Latency []ProbeBar
	Health  []ProbeExpectation
	Facts   []PageFact
	Made    []ProbeMade
	About   []PageFact
}

// ProbeExpectation is something wanted and what was got. Mark is the word, its
// class "done", "failed" or "open".
type ProbeExpectation struct{ Name, Want, Got, Mark, Class string }

// ProbeGrade is a figure with a word on it.
type ProbeGrade struct{ Name, Value, Grade, Class, Scale string }

// ProbeBar is a name with a figure; Width is from 0 to 400, for a bar.
type ProbeBar struct {
	Name, Text, Class string
	Width             float64
}

// ProbeMade is how to find rows.
type ProbeMade struct{ Check, SQL, Args string }

// ProbeRound is one round on a time axis.
type ProbeRound struct {
	ID, Title, Description string
	Width, Height, Base    float64
	Ticks                  []PageTick
	Lines                  []ProbeLine
}

// ProbeLine is one request: from Sent to First it waits, from First to Done
// the answer comes. Class is won, other or fault.
type ProbeLine struct {
	Y, Sent, First, Done float64
	Class, Label         string
}

var probeStyle = pageStyle + mustRead("pages/probe.css")

// ExecuteProbe writes a probe as one page that asks nothing of any network:
// its policy allows its own style sheet, by digest, and nothing else.
func ExecuteProbe(w io.Writer, page ProbePage) error {
	return pageHTML.ExecuteTemplate(w, "probe.html", struct {
		ProbePage
		Policy string
		Style  htmltemplate.CSS
	}{
		ProbePage: page,
		Policy:    "default-src 'none'; img-src data:; style-src " + digest(probeStyle) + "; base-uri 'none'; form-action 'none'",
		Style:     htmltemplate.CSS(probeStyle),
	})
}
