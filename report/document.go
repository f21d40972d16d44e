// Package report owns the one document that every view of a case shows: what
// the case says, beside what the later documents in its directory say. The
// packages below it write that document as a table, JSON, CSV, Markdown or a
// page.
//
// It must not compute a fact. Every class, reason, survivor and figure was
// decided by detect or remediate and stands in a document; here it is put in
// order, put into words, shortened or masked.
package report

import "twinrow/detect/casefile"

// Schema is that of the document. The number grows when a reader of the old
// one would misread the new one.
const Schema = "twinrow/report/v1"

// Document is everything a report shows. As JSON it is the contract's
// `report --format json`; lists are never null.
type Document struct {
	Schema string `json:"schema"`
	// Tool is the program that made the report.
	Tool   casefile.Tool `json:"tool"`
	CaseID string        `json:"case_id"`
	// CaseSHA256 is the digest of the case.json that the report was made from;
	// empty where the document is redacted, whose masks it is the key of.
	CaseSHA256 string `json:"case_sha256,omitempty"`
	// ScannedAt is when the case was made, RFC 3339 in UTC.
	ScannedAt string `json:"scanned_at"`
	// Redacted is true where values of rows are masked.
	Redacted bool    `json:"redacted"`
	Tables   []Table `json:"tables"`
	// Plan, Journal, Probes and Mails are what later documents of the case say; nil where there is none.
	Plan    *Plan    `json:"plan,omitempty"`
	Journal *Journal `json:"journal,omitempty"`
	Probes  []Probe  `json:"probes,omitempty"`
	Mails   *Mails   `json:"mails,omitempty"`
	// Checklist is what ends the incident and how far it is; nil where nothing was found.
	Checklist []Check `json:"checklist,omitempty"`
	// Timeline is what all the documents tell, in order of time.
	Timeline []Event `json:"timeline,omitempty"`

	// Dir is the case's directory as the user named it, for the commands that are suggested.
	Dir string `json:"-"`
}

// Table is one table of the case.
type Table struct {
	Source Source `json:"source"`
	// Name tells the case's tables apart; by default it is Table.
	Name string `json:"name"`
	// Table is the canonical name, with its schema where there is one.
	Table string `json:"table"`
	// Key holds the columns' names or the expressions.
	Key []string `json:"key"`
	// Nulls is "distinct" or "not-distinct".
	Nulls string `json:"nulls"`
	Where string `json:"where,omitempty"`
	// Time is empty where no column of times was named.
	Time string   `json:"time"`
	ID   []string `json:"id"`
	// Email, Person and Amount are empty where no such column was named.
	Email  string   `json:"email,omitempty"`
	Person string   `json:"person,omitempty"`
	Amount string   `json:"amount,omitempty"`
	Ignore []string `json:"ignore"`

	Windows   casefile.Windows `json:"windows"`
	Way       string           `json:"way"`
	WayReason string           `json:"way_reason"`
	// UniqueBy names unique indexes that already held for the key.
	UniqueBy []string `json:"unique_by"`

	ScannedRows int64 `json:"scanned_rows"`
	// NullKeyRows of them equal no other row, because their key holds a NULL.
	NullKeyRows int64             `json:"null_key_rows"`
	BadLines    int64             `json:"bad_lines"`
	Untimed     *casefile.Untimed `json:"untimed,omitempty"`
	Totals      casefile.Totals   `json:"totals"`
	// Clock, Impact, Incident, Retries and KeyLab are nil where the case does not have them.
	Clock    *casefile.Clock    `json:"clock,omitempty"`
	Impact   *casefile.Impact   `json:"impact,omitempty"`
	Incident *casefile.Incident `json:"incident,omitempty"`
	Retries  *casefile.Retries  `json:"retries,omitempty"`
	KeyLab   *casefile.KeyLab   `json:"key_lab,omitempty"`
	// Answers are the first screen: what happened, since when, and so on, each
	// with the fields it is made from.
	Answers []Answer `json:"answers"`
	// Groups are in the order of the evidence: by first time, then key.
	Groups []Group `json:"groups"`
}

// Source says where the rows were.
type Source struct {
	Engine string `json:"engine"`
	// Version is empty for a file.
	Version  string `json:"version"`
	Database string `json:"database"`
}

// Group is rows with one key.
type Group struct {
	// Number is that of the evidence, counted through all tables of the case.
	Number    int               `json:"number"`
	Key       casefile.Fields   `json:"key"`
	Class     casefile.Class    `json:"class"`
	Strength  casefile.Strength `json:"strength"`
	Mixed     bool              `json:"mixed"`
	SpanUS    *int64            `json:"span_us"`
	Identical bool              `json:"identical"`
	Differs   []string          `json:"differs"`
	Reasons   []string          `json:"reasons"`
	Unknown   []string          `json:"unknown"`
	// Differences say how the columns of Differs do so.
	Differences []casefile.Difference `json:"differences,omitempty"`
	// Fits are all retry schedules that the gaps fit, the best first.
	Fits []casefile.Fit `json:"fits,omitempty"`
	// Choice is what the plan decided for the group; nil where there is none.
	Choice *GroupChoice `json:"choice,omitempty"`
	// Rows are in order of time, then id.
	Rows []Row `json:"rows"`
}

// GroupChoice is the plan's decision about a group.
type GroupChoice struct {
	Reason string `json:"reason"`
	// Held is why the plan leaves the group to a person; empty where it does not.
	Held string `json:"held,omitempty"`
}

// Row is one row of a group.
type Row struct {
	ID       casefile.Fields   `json:"id"`
	Time     *string           `json:"time"`
	GapUS    *int64            `json:"gap_us"`
	Class    *casefile.Class   `json:"class"`
	Strength casefile.Strength `json:"strength,omitempty"`
	// Written is the evidence of the row's transaction; nil where there is none.
	Written *casefile.Written `json:"written,omitempty"`
	// References are the rows of other tables that refer to this one, UsedSince
	// what else tells that it was used after it was written.
	References []casefile.Reference `json:"references,omitempty"`
	UsedSince  []string             `json:"used_since,omitempty"`
	Values     casefile.Fields      `json:"values"`
	// Fate is "keep" or "remove" where a plan says so, else empty.
	Fate Fate `json:"fate,omitempty"`
}

// Fate is what the plan does with a row.
type Fate string

// The fates of a row.
const (
	Keep   Fate = "keep"
	Remove Fate = "remove"
)
