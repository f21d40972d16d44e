package report

import "strings"

import "slices"

// Check is one thing that ends an incident, and how far it is.
type Check struct {
	// Name says what, as "duplicates deleted".
	Name  string     `json:"name"`
	State CheckState `json:"state"`
	// Text says how far it is, without a full stop.
	Text string `json:"text"`
	// Detail is a document's own sentence on it; it may be empty.
	Detail string `json:"detail,omitempty"`
	// From names the document and the field that says so.
	From string `json:"from"`
}

// CheckState says how far a thing is.
type CheckState string

// The states of a thing on the list.
const (
	CheckDone   CheckState = "done"
	CheckPartly CheckState = "partly"
	CheckOpen   CheckState = "open"
	CheckFailed CheckState = "failed"
	// CheckByHand is for what no document tells: a person ticks it.
	CheckByHand CheckState = "by hand"
)

// checklist is what has to be done before an incident is over, in the order in
// which it is usually done; nil where nothing was found.
func (d *Document) checklist() []Check {
	if !d.found() {
		return nil
	}
	return []Check{
		d.deleted(),
		d.constraint(),
		{Name: "code deployed", State: CheckByHand, Text: "no document of the case tells", From: ""},
		d.contacted(),
		{Name: "logs watched", State: CheckByHand, Text: "no document of the case tells", From: ""},
		d.proven(),
	}
}

func (d *Document) deleted() Check {
	c := Check{Name: "duplicates deleted", State: CheckOpen, From: "journal.jsonl"}
	j := d.Journal
	switch {
	case d.Plan == nil:
		c.Text, c.From = "nothing is planned yet", "plan.json"
	case j == nil:
		c.Text, c.From = "planned, and not begun", "plan.json: groups"
	case j.State == Undone:
		c.Text = "taken back " + Instant(&j.At) + " UTC"
	case j.State == Stopped:
		c.State = CheckPartly
		c.Text = "stopped " + Instant(&j.At) + " UTC, with " + Count(j.Removed, "row") + " removed"
	default:
		c.State = CheckDone
		c.Text = Count(j.Removed, "row") + " removed by " + Instant(&j.At) + " UTC"
		if d.Plan.Held > 0 {
			c.State = CheckPartly
			c.Text += "; " + Count(d.Plan.Held, "group") + " held back for a person to decide"
			c.From = "journal.jsonl; plan.json: held"
		}
		if j.Drifted > 0 {
			c.State = CheckPartly
			c.Text += "; " + Count(j.Drifted, "group") + " left alone, changed since the scan"
		}
	}
	return c
}

func (d *Document) constraint() Check {
	c := Check{Name: "constraint applied", State: CheckOpen, From: "journal.jsonl: index"}
	switch j := d.Journal; {
	case j != nil && j.State != Undone && len(j.Indexes) > 0:
		c.State = CheckDone
		c.Text = "unique index " + join(j.Indexes) + " built"
	case j != nil && j.State == Undone:
		c.Text = "taken back " + Instant(&j.At) + " UTC"
	case j != nil:
		c.Text = "no index was built"
	default:
		c.Text = "nothing was done yet"
	}
	return c
}

func (d *Document) contacted() Check {
	c := Check{Name: "customers contacted", State: CheckOpen, From: "drafts/index.json; ledger.jsonl"}
	m := d.Mails
	switch {
	case m == nil:
		c.Text = "no mail is drafted yet"
		return c
	case m.Unknown > 0 || m.Failed > 0:
		c.State = CheckFailed
	case m.Drafts > 0 && m.Sent >= m.Drafts:
		c.State = CheckDone
	case m.Sent > 0:
		c.State = CheckPartly
	}
	c.Text = m.text()
	if m.Confirmed != nil {
		c.Detail, c.From = m.Confirmed.text(), c.From+"; confirmed.json: totals"
	}
	return c
}

// text says what the record of the provider showed.
func (c *Confirmed) text() string {
	return "by the record of " + Plain(c.Provider) + ", " + Count(c.Twice, "customer") + " had been sent two mails, " + Number(c.NotTwice) + " had not, of " + Number(c.Unknown) + " it is not known"
}

// text says how far the mails are.
func (m *Mails) text() string {
	var text strings.Builder
	text.WriteString(Count(m.Drafts, "mail") + " drafted, " + Number(m.Sent) + " sent")
	for _, n := range []struct {
		mails int
		word  string
	}{{m.Unknown, "unknown"}, {m.Failed, "failed"}, {m.Suppressed, "suppressed"}} {
		if n.mails > 0 {
			text.WriteString(", " + Number(n.mails) + " " + n.word)
		}
	}
	return text.String()
}

// proven goes by the last probe of each name and environment: an older verdict
// was of older code.
func (d *Document) proven() Check {
	c := Check{Name: "fix proven", State: CheckOpen, From: "probes/: verdict"}
	last := d.lastProbes()
	if len(last) == 0 {
		c.Text = "nothing was probed yet"
		return c
	}
	c.State = CheckDone
	shown := last[0]
	for _, p := range last {
		if worse := probeState(p.Verdict); rank(worse) > rank(c.State) {
			c.State, shown = worse, p
		}
	}
	c.Text, c.Detail = shown.text(), Plain(shown.Statement)
	return c
}

func probeState(verdict string) CheckState {
	switch verdict {
	case "pass":
		return CheckDone
	case "fail":
		return CheckFailed
	}
	return CheckOpen
}

// rank orders the states of probes: one that failed outweighs one that is open.
func rank(s CheckState) int { return slices.Index([]CheckState{CheckDone, CheckOpen, CheckFailed}, s) }

// text is the probe in a few words: "pass: payment-webhook on staging, 100 requests in 20 rounds".
func (p *Probe) text() string {
	text := Plain(p.Verdict) + ": " + Plain(p.Name)
	if p.Environment != "" {
		text += " on " + Plain(p.Environment)
	}
	if p.Requests > 0 {
		text += ", " + Count(p.Requests, "request") + " in " + Count(p.Rounds, "round")
	}
	return text
}

// lastProbes are the last of each name and environment, in order of time.
func (d *Document) lastProbes() []Probe {
	var last []Probe
	for _, p := range slices.Backward(d.Probes) {
		if !slices.ContainsFunc(last, func(q Probe) bool { return q.Name == p.Name && q.Environment == p.Environment }) {
			last = append(last, p)
		}
	}
	slices.Reverse(last)
	return last
}
