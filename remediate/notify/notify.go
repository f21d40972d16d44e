// Package notify tells the customers of a case what happened to them, each
// once and each only their own part: it owns the drafts, the ledger of what
// was sent, and the order of claim, request and result that keeps a mail from
// ever going out twice.
//
// It must not know how a survivor was chosen: the caller hands the choices in.
// It must not know any mail provider either: a Carrier does the sending.
package notify

import (
	"context"
	"errors"
	"time"

	"twinrow/detect/casefile"
	"twinrow/templates"
)

// Problem is an error that a person can act on.
type Problem = casefile.Problem

// Schemas of the documents.
const (
	// DraftsSchema is of drafts/index.json.
	DraftsSchema = "twinrow/drafts/v1"
	// LedgerSchema is of the first line of ledger.jsonl.
	LedgerSchema = "twinrow/ledger/v1"
	// StatusSchema is of what `notify status --format json` prints.
	StatusSchema = "twinrow/mail/v1"
)

// Names of the documents in a case directory.
const (
	// DraftsName is the directory of the drafts.
	DraftsName = "drafts"
	// IndexName is in it and lists the drafts.
	IndexName = "index.json"
	// SupportName is in it and lists the customers for the help desk.
	SupportName = "support.csv"
	// MailboxName is in it and holds all drafts that were not sent yet, for mail
	// programs that import a whole box (mboxrd).
	MailboxName = "drafts.mbox"
	// PreviewName is in it and shows them on one page.
	PreviewName = "preview.html"
	// SkippedName is in it and lists the groups that nobody is written to
	// about; it is not there where there are none.
	SkippedName = "skipped.csv"
	// LedgerName is beside the drafts, so that it outlives them.
	LedgerName = "ledger.jsonl"
)

// State says how far a mail got.
type State string

// The states of a mail.
const (
	// Drafted was not sent: nobody took it.
	Drafted State = "draft"
	// Claimed is about to be sent by a run that is still at work.
	Claimed State = "claimed"
	// Accepted was taken for delivery.
	Accepted State = "accepted"
	// Unknown may have been taken: no answer came. It is not sent again
	// unless a person settles it.
	Unknown State = "unknown"
	// Failed was refused for good, and nobody took it. The next send tries again.
	Failed State = "failed"
	// Suppressed was not sent because the address wants or takes no mail.
	Suppressed State = "suppressed"
)

// States lists all states in the order reports use.
var States = []State{Drafted, Claimed, Accepted, Unknown, Failed, Suppressed}

// Choice is what the plan decided about one group.
type Choice struct {
	// Group is the group's number in the evidence.
	Group int
	// Keep is the id of the row that stays, Remove the ids of the others.
	Keep   casefile.Fields
	Remove []casefile.Fields
	// Held is true where the group stays as it is for now; HeldReason says
	// why, or is empty.
	Held       bool
	HeldReason string
	// Drifted is true where the clean-up left the group alone, because its
	// rows were no longer as the evidence has them.
	Drifted bool
	// Cleanup is templates.CopiesRemoved where the copies are gone,
	// templates.CopiesPlanned where the plan has operations that will remove
	// them, "" where the plan removes nothing by itself, as for a file.
	Cleanup string
}

// Options say how to draft.
type Options struct {
	// Tool is the program that writes the documents.
	Tool casefile.Tool
	// From is an address, with a display name or without; required.
	From string
	// ReplyTo is where answers go; empty means From.
	ReplyTo string
	// Noun is the word for one entry, as "ticket"; empty means one made from
	// the table's name.
	Noun string
	// PlanSHA256 is the digest of the plan that the choices are from, or empty.
	PlanSHA256 string
	// Now is the time for the Date header; zero means the time of the call.
	Now time.Time
	// Suppressions is asked about every customer; nil asks nobody.
	Suppressions Suppressions
	// Templates are the texts; nil means the built-in ones.
	Templates *templates.Mails
	// Language is that of customers whose own is not known; empty means "en".
	Language string
	// LanguageColumn holds the customers' own, as "de" or "de-AT"; empty asks no column.
	LanguageColumn string
	// Refunds say whether money was taken more than once, each as
	// "[TABLE=]due|made|none"; none says nothing about money.
	Refunds []string
	// Currency is the code of all amounts, CurrencyColumn the column of it.
	Currency, CurrencyColumn string
	// AmountUnit is MinorUnit or MajorUnit; empty means what the column's name says.
	AmountUnit string
	// SkipRoles leaves out addresses that belong to an office and no person.
	SkipRoles bool
	// BeforeCleanup writes also about rows that are not removed yet.
	BeforeCleanup bool
	// Also are directories of cases; whoever was written to in one is left out.
	Also []string
	// Redact masks names, addresses and keys in the preview.
	Redact bool
}

// Suppressions knows who takes no mail.
type Suppressions interface {
	// Suppressed says in words why no mail is to be sent to the address, ""
	// where nothing is against it. The error is ErrMayNotAsk where the key has
	// no right to ask.
	Suppressed(ctx context.Context, address string) (reason string, err error)
}

// ErrMayNotAsk is the error of a Suppressions whose key may send but not ask.
var ErrMayNotAsk = errors.New("the key may not read the lists of suppressed addresses")

// Carrier sends mails.
type Carrier interface {
	Suppressions
	// Name is one word for the ledger, as "sendgrid".
	Name() string
	// Send makes one attempt to hand one mail over. It finishes the request
	// though ctx be cancelled meanwhile, since a request that was cut leaves
	// nobody knowing what became of it.
	Send(ctx context.Context, message Message) Outcome
}

// Message is one mail to one recipient.
type Message struct {
	// Case and Mail are the ids that find the mail again at the provider.
	Case, Mail string
	// From, ReplyTo and To are addresses as a provider takes them, with the
	// domain in ASCII; a name is "" where there is none.
	From, ReplyTo, To Mailbox
	Subject           string
	// Text and HTML are the two parts in UTF-8, with "\n" line ends.
	Text, HTML string
}

// Mailbox is an address and the name shown for it.
type Mailbox struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address"`
}

// Outcome is what became of one attempt.
type Outcome struct {
	// State is Accepted, Failed, Unknown or Drafted; Drafted says that certainly
	// nobody took the mail.
	State State
	// MessageID is the provider's name for an accepted mail.
	MessageID string
	// Reason says in words why it was not accepted; it holds neither the key
	// nor an address.
	Reason string
	// Again is true where the attempt may be made again after Wait.
	Again bool
	Wait  time.Duration
	// Stop is set where every other mail would fare the same; a *Problem.
	Stop error
}

// Mail is one draft.
type Mail struct {
	// ID is 16 hexadecimal digits, the same whenever the case is drafted again.
	ID string `json:"id"`
	// To is the address as a provider takes it; Name is "" where none is known.
	To   string `json:"to"`
	Name string `json:"name"`
	// File is the name of the draft in the directory of drafts.
	File string `json:"file"`
	// SHA256 is the digest of that file.
	SHA256 string `json:"sha256"`
	// Groups are the numbers of the groups that the mail is about.
	Groups []int `json:"groups"`
	// Subject and Language are those of the draft.
	Subject  string `json:"subject"`
	Language string `json:"language"`
}

// SkipReason says why nobody is written to about a group.
type SkipReason string

// The reasons.
const (
	NoColumn         SkipReason = "no-email-column"
	NoAddress        SkipReason = "no-address"
	MalformedAddress SkipReason = "malformed-address"
	SeveralAddresses SkipReason = "several-addresses"
	GroupHeld        SkipReason = "held"
	NotPlanned       SkipReason = "not-planned"
	IsSuppressed     SkipReason = "suppressed"
	RoleAddress      SkipReason = "role-address"
	GroupDrifted     SkipReason = "drifted"
	NotRemovedYet    SkipReason = "not-removed-yet"
	AlreadyWritten   SkipReason = "already-written"
)

// Skip is one group that nobody is written to about.
type Skip struct {
	Group  int        `json:"group"`
	Table  string     `json:"table"`
	Reason SkipReason `json:"reason"`
	// Detail says more, in words; it may be empty.
	Detail string `json:"detail"`
	// Address and Name are as the kept row has them, or empty.
	Address string `json:"address"`
	Name    string `json:"name"`
}

// Drafts is index.json: what was drafted, and what was not.
type Drafts struct {
	Schema string        `json:"schema"`
	Tool   casefile.Tool `json:"tool"`
	// Case is the case's id, CaseSHA256 the digest of case.json.
	Case       string `json:"case"`
	CaseSHA256 string `json:"case_sha256"`
	// PlanSHA256 is the digest of the plan, "" where none was given.
	PlanSHA256 string `json:"plan_sha256"`
	// CreatedAt is RFC 3339 in UTC.
	CreatedAt string  `json:"created_at"`
	From      Mailbox `json:"from"`
	ReplyTo   Mailbox `json:"reply_to"`
	Mails     []Mail  `json:"mails"`
	Skipped   []Skip  `json:"skipped"`
	// Removed are the groups whose copies the mails call removed.
	Removed []int `json:"removed"`
	// Also are the cases whose customers are left out, asked again before each mail.
	Also []AlsoCase `json:"also"`
	// Notes say what a person ought to know, as that suppressions could not be asked.
	Notes []string `json:"notes"`
	// Sample is the first mail of this drafting as the preview shows it, nil
	// where there is none.
	Sample *Message `json:"-"`
}
