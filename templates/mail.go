package templates

// Mail is all that a mail to one customer may say. Every text in it is one
// line of plain text; the HTML part escapes it. The doc tags are what
// `notify draft --print-fields` prints.
type Mail struct {
	Language string      `doc:"the language of this mail, as \"en\""`
	Name     string      `doc:"the customer's name; empty where none is known: then nobody is named"`
	Noun     string      `doc:"the word for one entry, as \"ticket\""`
	Nouns    string      `doc:"the word for several, as \"tickets\""`
	Entries  []MailEntry `doc:"the things that exist more than once; never empty"`
	Cause    string      `doc:"what went wrong, in a sentence, where it is the same for all entries; else empty"`
	Refund   MailRefund  `doc:"the money of all entries together"`
	Cleanup  string      `doc:"removed where the extra copies are gone, planned where they will be, empty where neither is known of all"`
	AnswerTo string      `doc:"the address that answers go to"`
	Sender   string      `doc:"the name to sign with; empty where there is none"`
}

// MailEntry is one thing that exists more than once.
type MailEntry struct {
	Title      string     `doc:"its name, as \"Ticket 1 (payment intent pi_3Sh)\""`
	Times      string     `doc:"how often it exists, as \"twice\""`
	Class      string     `doc:"same-transaction, race, resubmit, retry, replay or untimed"`
	Cause      string     `doc:"what went wrong, in a sentence; empty where that is not sure enough"`
	Use        MailCopy   `doc:"the copy to use"`
	Disregard  []MailCopy `doc:"the other copies; never empty"`
	UseIsFirst bool       `doc:"true where the copy to use is the one that was made first"`
	Refund     MailRefund `doc:"the money that was taken too much"`
	Cleanup    string     `doc:"removed, planned, or empty where that is not known"`
}

// MailCopy is one of the copies.
type MailCopy struct {
	Label  string `doc:"what tells it from the others, as \"ID 108\" or \"the first one\""`
	When   string `doc:"when it was made, or how much later than the copy to use; empty where that is not known"`
	Time   string `doc:"when it was made as RFC 3339 in UTC; empty where that is not known"`
	Amount string `doc:"the amount it was charged with, as \"EUR 45.00\"; empty unless money was taken more than once"`
}

// MailRefund says whether money was taken more than once.
type MailRefund struct {
	State  string `doc:"due where it will be paid back, made where it was, mixed where it differs by entry, empty where no money was taken more than once"`
	Amount string `doc:"how much, as \"EUR 45.00\"; empty where it is not known"`
}

// The states of a refund and of the clean-up.
const (
	RefundDue   = "due"
	RefundMade  = "made"
	RefundMixed = "mixed"

	CopiesRemoved = "removed"
	CopiesPlanned = "planned"
)

// FirstCounts is true where in every entry the copy made first is the one to use.
func (m Mail) FirstCounts() bool {
	for _, e := range m.Entries {
		if !e.UseIsFirst {
			return false
		}
	}
	return true
}

// One is the only entry of a mail about one thing, nil of any other.
func (m Mail) One() *MailEntry {
	if len(m.Entries) == 1 {
		return &m.Entries[0]
	}
	return nil
}

// Copies counts the copies to disregard in all entries.
func (m Mail) Copies() int {
	n := 0
	for _, e := range m.Entries {
		n += len(e.Disregard)
	}
	return n
}

// methodDocs say what the methods of Mail are, as the doc tags do for fields.
var methodDocs = map[string]string{
	"FirstCounts": "true where in every entry the copy made first is the one to use",
	"One":         "the only entry of a mail about one thing; nothing otherwise",
	"Copies":      "how many copies there are to disregard, in all entries",
}
