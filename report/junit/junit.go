// Package junit writes a probe as JUnit's XML, the form in which continuous
// integration reads test results: an expectation is a test case.
//
// It must not know how a probe is made, nor judge one.
package junit

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"twinrow/detect/casefile/proof"
)

// The elements are those of the schema that Jenkins' xUnit plug-in publishes
// for JUnit (junit-10.xsd), which others read too.
type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []suite  `xml:"testsuite"`
}

type suite struct {
	Name       string     `xml:"name,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Skipped    int        `xml:"skipped,attr"`
	Timestamp  string     `xml:"timestamp,attr"`
	Time       string     `xml:"time,attr"`
	Properties []property `xml:"properties>property"`
	Cases      []testcase `xml:"testcase"`
	Out        string     `xml:"system-out"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type testcase struct {
	Name      string    `xml:"name,attr"`
	Classname string    `xml:"classname,attr"`
	Time      string    `xml:"time,attr"`
	Skipped   *struct{} `xml:"skipped"`
	Failure   *trouble  `xml:"failure"`
	Error     *trouble  `xml:"error"`
}

type trouble struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// Render writes the probe. The verdict is the first test case: a fail is a
// failure, and what is inconclusive an error, so that neither passes for green.
func Render(w io.Writer, r *proof.Result) error {
	name := r.Name
	if name == "" {
		name = "probe"
	}
	seconds := fmt.Sprintf("%.3f", float64(r.DurationUS)/1e6)
	s := suite{Name: plain(name), Timestamp: strings.TrimSuffix(cutFraction(r.StartedAt), "Z"), Time: seconds, Properties: properties(r), Out: plain(r.Confidence.Statement)}
	verdict := testcase{Name: "verdict", Classname: s.Name, Time: seconds}
	because := &trouble{Message: plain(strings.Join(first(r.Reasons), "")), Type: string(r.Verdict), Text: plain(strings.Join(r.Reasons, "\n"))}
	switch r.Verdict {
	case proof.Pass:
	case proof.Fail:
		verdict.Failure = because
	default:
		verdict.Error = because
	}
	s.Cases = []testcase{verdict}
	for _, e := range r.Expectations {
		c := testcase{Name: plain(e.Name), Classname: s.Name, Time: "0"}
		switch {
		case e.Open: // the verdict's own case is not green then
			c.Skipped = &struct{}{}
		case !e.OK:
			c.Failure = &trouble{Message: plain("wanted " + e.Want + ", got " + e.Got), Type: "expectation", Text: plain("wanted " + e.Want + "\ngot " + e.Got)}
		}
		s.Cases = append(s.Cases, c)
	}
	for _, c := range s.Cases {
		if s.Tests++; c.Failure != nil {
			s.Failures++
		}
		if c.Error != nil {
			s.Errors++
		}
		if c.Skipped != nil {
			s.Skipped++
		}
	}
	return write(w, suites{Tests: s.Tests, Failures: s.Failures, Errors: s.Errors, Time: seconds, Suites: []suite{s}})
}

func write(w io.Writer, all suites) error {
	content, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JUnit's XML: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, content)
	return err
}

func properties(r *proof.Result) []property {
	all := []property{{"verdict", string(r.Verdict)}, {"target", plain(r.Target)}, {"transport", plain(r.Transport)}, {"rounds", fmt.Sprint(r.Rounds)}, {"requests", fmt.Sprint(r.Requests)}, {"run_id", plain(r.RunID)}}
	if r.Environment != "" {
		all = append(all, property{"environment", plain(r.Environment)})
	}
	if r.Baseline != nil {
		all = append(all, property{"baseline", plain(r.Baseline.Statement)})
	}
	return all
}

func first(lines []string) []string { return lines[:min(1, len(lines))] }

// cutFraction takes the fraction of a second off: the schema has none.
func cutFraction(at string) string {
	whole, _, _ := strings.Cut(at, ".")
	return whole
}

// plain leaves out what XML 1.0 cannot hold.
func plain(text string) string {
	return strings.Map(func(c rune) rune {
		if c == '\t' || c == '\n' || c >= 0x20 && c <= 0xd7ff || c >= 0xe000 && c <= 0xfffd || c >= 0x10000 && c <= 0x10ffff {
			return c
		}
		return '\uFFFD'
	}, text)
}
