package suspect

import (
	"slices"
	"strings"
	"unicode"

	"twinrow/detect/source"
)

// meanings are column names that mean one row each, with what they weigh and
// the reason; a name also counts with words before it, as stripe_event_id.
var meanings = []struct {
	name   string
	score  int
	reason string
}{
	{"idempotency_key", 90, "an idempotency key is there to be seen once"},
	{"idempotence_key", 90, "an idempotency key is there to be seen once"},
	{"idempotency_token", 90, "an idempotency key is there to be seen once"},
	{"dedup_key", 88, "its name says that it is there to tell duplicates"},
	{"dedupe_key", 88, "its name says that it is there to tell duplicates"},
	{"deduplication_id", 88, "its name says that it is there to tell duplicates"},
	{"webhook_id", 84, "a webhook that is delivered again has the same id"},
	{"delivery_id", 82, "a delivery that is repeated has the same id"},
	{"event_id", 82, "an event that is delivered again has the same id"},
	{"message_id", 80, "a message that is delivered again has the same id"},
	{"payment_intent_id", 80, "a payment is made once"},
	{"payment_intent", 78, "a payment is made once"},
	{"checkout_session_id", 78, "a checkout ends in one order"},
	{"charge_id", 76, "a charge is made once"},
	{"transaction_id", 74, "a transaction is booked once"},
	{"txn_id", 74, "a transaction is booked once"},
	{"refund_id", 74, "a refund is made once"},
	{"external_id", 76, "it is the id that another system gave the row"},
	{"external_ref", 72, "it is the id that another system gave the row"},
	{"external_reference", 72, "it is the id that another system gave the row"},
	{"provider_id", 60, "it is the id that another system gave the row"},
	{"remote_id", 72, "it is the id that another system gave the row"},
	{"request_id", 62, "a request that is sent again has the same id"},
	{"fingerprint", 60, "a fingerprint tells one thing from all others"},
	{"uuid", 66, "a UUID is made to occur once"},
	{"guid", 66, "a UUID is made to occur once"},
	{"order_number", 60, "a number is given once"},
	{"order_no", 60, "a number is given once"},
	{"invoice_number", 68, "a number is given once"},
	{"invoice_no", 68, "a number is given once"},
	{"booking_reference", 66, "a reference is given once"},
	{"reference_number", 62, "a number is given once"},
	{"tracking_number", 56, "a number is given once"},
	{"serial_number", 58, "a number is given once"},
	{"slug", 54, "a slug is the address of one page"},
	{"sku", 52, "a SKU names one article"},
	{"username", 58, "a user's name belongs to one user"},
	{"access_token", 52, "a token belongs to one holder"},
	{"api_key", 52, "a key belongs to one holder"},
}

// people are tables that have one row for each person; an address is there once.
var people = []string{"user", "account", "customer", "member", "subscriber", "person", "people", "contact", "client", "profile"}

// address is what the name of a column of addresses says in a table of people.
func address(t *source.CatalogueTable, name string) (score int, reason string) {
	table := strings.TrimSuffix(snake(t.Bare), "s")
	if words := snake(name); words != "email" && words != "email_address" && words != "login" || !slices.Contains(people, table) {
		return 0, ""
	}
	return 56, "named " + name + " in " + t.Bare + ": an address belongs to one of them"
}

// ordinals are names of a place under a parent: (parent_id, number).
var ordinals = []string{
	"number", "no", "num", "nr", "seq", "sequence", "seqno", "position", "pos", "ordinal", "idx", "index", "line", "line_number", "line_no", "step", "version", "revision", "seat", "seat_number",
}

// meaning is what a column's name says about its being unique.
func meaning(name string) (score int, reason string) {
	words := snake(name)
	for _, m := range meanings {
		if words == m.name {
			return m.score, "named " + name + ": " + m.reason
		}
		if strings.HasSuffix(words, "_"+m.name) {
			return m.score - 4, "named " + name + ": " + m.reason
		}
	}
	return 0, ""
}

// isOrdinal tells names as ticket_number and line.
func isOrdinal(name string) bool {
	words := snake(name)
	return slices.ContainsFunc(ordinals, func(o string) bool { return words == o || strings.HasSuffix(words, "_"+o) })
}

// snake writes eventId, EventID and event-id as event_id.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		lower := i > 0 && (unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1]))
		last := i > 0 && unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
		switch {
		case r == '-' || r == ' ' || r == '.':
			b.WriteByte('_')
			continue
		case unicode.IsUpper(r) && (lower || last):
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// times are names of the column that says when a row was written, best first.
var times = []string{
	"created_at", "inserted_at", "received_at", "created", "created_on", "creation_time", "created_time", "date_created", "create_time", "inserted", "occurred_at", "event_time", "timestamp", "ts", "time",
}

// timeColumn is the column that says when a row was written, "" where none does.
func timeColumn(t *source.CatalogueTable) string {
	for _, name := range times {
		for _, c := range t.Columns {
			if snake(c.Name) == name && maybeTime(c.Type) {
				return c.Name
			}
		}
	}
	return ""
}

// maybeTime leaves out the types that hold no instant; SQLite has no type of
// its own for it.
func maybeTime(kind string) bool {
	return !slices.ContainsFunc([]string{"bool", "json", "uuid", "bytea", "blob", "[]"}, func(no string) bool { return strings.Contains(kind, no) })
}
