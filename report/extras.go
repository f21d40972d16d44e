package report

import "twinrow/detect/casefile"

// Extras are what the other documents in the case's directory say, and what
// the program knows of itself. All but Tool may be missing.
type Extras struct {
	// Tool is the program that makes the report.
	Tool    casefile.Tool
	Plan    *Plan
	Journal *Journal
	Probes  []Probe
	Mails   *Mails
}

// Plan is what plan.json says.
type Plan struct {
	// Hazards are those that `apply --allow` must name.
	Hazards []string `json:"hazards"`
	// Held counts the groups that are left to a person.
	Held int `json:"held"`
	// Choices are handed on to the groups and rows they are about.
	Choices []Choice `json:"-"`
}

// Choice is what the plan decided for one group, which is found again by the
// ids of its rows.
type Choice struct {
	// Table is the Name of the case's table.
	Table string
	// Keep is the survivor's id, nil where the group is held.
	Keep   casefile.Fields
	Remove []casefile.Fields
	Reason string
	// Held is why the group is left to a person, empty where it is not. A held
	// group names its rows in Remove or Keep all the same, or it is not found.
	Held string
}

// Journal is what journal.jsonl says.
type Journal struct {
	State JournalState `json:"state"`
	// Removed counts the rows that were taken out.
	Removed int64 `json:"removed"`
	// At is the time of the last record, RFC 3339 in UTC.
	At string `json:"at"`
	// Indexes are the unique indexes that were built and not taken back.
	Indexes []string `json:"indexes"`
	// Drifted counts the groups that were left alone, changed since the scan.
	Drifted int `json:"drifted"`
	// Events are the records that a person wants to know of, in their order.
	Events []Event `json:"-"`
}

// JournalState says how far a clean-up came.
type JournalState string

// The states of a clean-up.
const (
	Applied JournalState = "applied"
	Stopped JournalState = "stopped"
	Undone  JournalState = "undone"
)

// Probe is what one document under probes/ says.
type Probe struct {
	Name        string `json:"name"`
	Environment string `json:"environment,omitempty"`
	// Verdict is "pass", "fail" or "inconclusive".
	Verdict string `json:"verdict"`
	// Statement is the probe's own sentence on how sure it is, or its first reason.
	Statement string `json:"statement"`
	// At is RFC 3339 in UTC.
	At string `json:"at"`
	// Rounds and Requests are those of the attack; 0 where that is not known.
	Rounds   int `json:"rounds,omitempty"`
	Requests int `json:"requests,omitempty"`
	// From names the document.
	From string `json:"from,omitempty"`
}

// Mails are the totals of the drafts and the ledger.
type Mails struct {
	Drafts  int `json:"drafts"`
	Sent    int `json:"sent"`
	Unknown int `json:"unknown"`
	Failed  int `json:"failed"`
	// Suppressed are not written to, because the provider has them on a list.
	Suppressed int `json:"suppressed"`
	// DraftedAt is when the drafts were made, FirstSentAt and LastSentAt when
	// the provider accepted mails: RFC 3339 in UTC, empty where that did not happen.
	DraftedAt   string `json:"drafted_at,omitempty"`
	FirstSentAt string `json:"first_sent_at,omitempty"`
	LastSentAt  string `json:"last_sent_at,omitempty"`
	// Confirmed is what the provider's record showed of the first mails; nil where it was not asked.
	Confirmed *Confirmed `json:"confirmed,omitempty"`
}

// Confirmed counts the customers by whether they had really been sent two mails.
type Confirmed struct {
	Provider string `json:"provider"`
	Twice    int    `json:"twice"`
	NotTwice int    `json:"not_twice"`
	Unknown  int    `json:"unknown"`
	// At is when the record was asked last, RFC 3339 in UTC; empty where it was not.
	At string `json:"at,omitempty"`
}
