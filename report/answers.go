package report

import (
	"strings"

	"twinrow/detect/casefile"
)

// Answer is what the first screen says to one of the questions that whoever is
// called asks first.
type Answer struct {
	Question string `json:"question"`
	// Sentences are Plain, the weightiest first.
	Sentences []string `json:"sentences"`
	// From names the fields of case.json that say so.
	From []string `json:"from"`
}

// Text is the sentences in a row.
func (a *Answer) Text() string { return strings.Join(a.Sentences, " ") }

// The questions, in the order in which they are answered.
const (
	WhatHappened = "What happened"
	SinceWhen    = "Since when"
	StillGoingOn = "Still going on"
	WhoAffected  = "Who is affected"
	HowSure      = "How sure"
)

// answers are those that the case has. What it does not tell is left out.
func (t *Table) answers(index int) []Answer {
	if t.Totals.Groups == 0 {
		return []Answer{}
	}
	var answers []Answer
	for _, a := range []struct {
		question string
		said     said
	}{
		{WhatHappened, t.what()},
		{SinceWhen, t.since()},
		{StillGoingOn, t.ongoing()},
		{WhoAffected, t.affected()},
		{HowSure, t.sure()},
	} {
		if len(a.said.sentences) == 0 {
			continue
		}
		answer := Answer{Question: a.question, Sentences: a.said.sentences}
		for _, field := range a.said.fields {
			answer.From = append(answer.From, TableField(index, field))
		}
		answers = append(answers, answer)
	}
	return answers
}

// said gathers sentences and the fields they are made from.
type said struct{ sentences, fields []string }

// add takes a line without a full stop, and leaves out an empty one.
func (s *said) add(line string, fields ...string) {
	if line == "" {
		return
	}
	s.sentences = append(s.sentences, Sentence(line))
	s.fields = append(s.fields, fields...)
}

func (t *Table) what() (s said) {
	s.add(Count(t.Totals.Rows, "row")+" share "+Count(t.Totals.Groups, "key")+", so that "+Number(t.Totals.Surplus)+" "+plural(t.Totals.Surplus, "is", "are")+" surplus", "totals.rows", "totals.groups", "totals.surplus")
	s.add("groups by class: "+t.ByClass(), "totals.by_class")
	s.add(t.Already(), "unique_by")
	return s
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func (t *Table) since() (s said) {
	if onset := t.onset(); onset != "" {
		s.add(onset, "incident.onset")
	}
	s.add(t.When(), "totals.first_duplicate", "totals.last_duplicate")
	s.add(t.TimeTrouble(), "untimed")
	return s
}

func (t *Table) onset() string {
	if t.Incident == nil || t.Incident.Onset == nil {
		return ""
	}
	return "the share of duplicates rose " + Around(t.Incident.Onset)
}

// Around is a change-point with its interval: "2025-12-20 22:00:00 UTC, between
// … and … (95 %)".
func Around(p *casefile.ChangePoint) string {
	text := Instant(&p.At) + " UTC"
	switch {
	case p.Earliest != nil && p.Latest != nil && *p.Earliest == *p.Latest:
	case p.Earliest != nil && p.Latest != nil:
		text += ", between " + Instant(p.Earliest) + " and " + Instant(p.Latest) + " (95 %)"
	case p.Earliest != nil:
		text += ", not before " + Instant(p.Earliest) + " (95 %)"
	case p.Latest != nil:
		text += ", not after " + Instant(p.Latest) + " (95 %)"
	}
	return text
}

func (t *Table) ongoing() (s said) {
	i := t.Incident
	if i == nil {
		return s
	}
	switch i.State {
	case "going-on":
		s.add("yes, as far as the rows tell that were there at the scan", "incident.state")
	case "ended":
		if i.End != nil {
			s.add("no, it ended "+Around(i.End), "incident.state", "incident.end")
		} else {
			s.add("no, it has ended", "incident.state")
		}
	default:
		s.add("it cannot be told", "incident.state")
	}
	if i.RowsSince != nil {
		rows := "no row"
		if *i.RowsSince > 0 {
			rows = "at least " + Count(*i.RowsSince, "row")
		}
		s.add(rows+" "+plural(int(min(max(*i.RowsSince, 1), 2)), "was", "were")+" written since the last duplicate", "incident.rows_since")
	}
	if i.LastRow != nil {
		s.add("the newest row is of "+Instant(i.LastRow)+" UTC", "incident.last_row")
	}
	return s
}

func (t *Table) affected() (s said) {
	i := t.Impact
	if t.Email != "" {
		s.add(Count(t.Totals.Customers, "customer"), "totals.customers")
	}
	if i == nil {
		return s
	}
	if i.Amount != nil {
		s.add("the surplus rows add up to "+Plain(*i.Amount)+" in "+Plain(t.Amount), "impact.amount", "amount")
	}
	if i.AmountUnread > 0 {
		s.add(Count(i.AmountUnread, "surplus row")+" "+plural(i.AmountUnread, "has", "have")+" no amount that could be read", "impact.amount_unread")
	}
	if i.Differing > 0 {
		s.add(Count(i.Differing, "group")+" "+plural(i.Differing, "has", "have")+" copies that differ, which are not safe to delete unread", "impact.differing")
	}
	if i.Referred != nil && *i.Referred > 0 {
		s.add("other tables refer to "+Count(*i.Referred, "surplus row"), "impact.referred")
	}
	if i.Used > 0 {
		s.add(Count(i.Used, "surplus row")+" "+plural(i.Used, "was", "were")+" used since", "impact.used")
	}
	return s
}

func (t *Table) sure() (s said) {
	var parts []string
	for _, strength := range []casefile.Strength{casefile.Proven, casefile.Likely, casefile.Possible} {
		n := t.Totals.ByStrength[strength]
		switch {
		case n == 0:
		case len(parts) == 0:
			parts = append(parts, "the class of "+Count(n, "group")+" is "+string(strength))
		default:
			parts = append(parts, "of "+Number(n)+" "+string(strength))
		}
	}
	s.add(strings.Join(parts, ", "), "totals.by_strength")
	if t.Retries != nil {
		s.add(Plain(t.Retries.Says), "retries.says")
	}
	return s
}
