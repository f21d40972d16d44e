package notify

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/templates"
)

func TestNouns(t *testing.T) {
	for _, c := range []struct {
		table     string
		isFile    bool
		key       []string
		one, many string
	}{
		{"public.tickets", false, nil, "ticket", "tickets"},
		{`"Shop"."OrderItems"`, false, nil, "order item", "order items"},
		{"tbl_deliveries", false, nil, "delivery", "deliveries"},
		{"seat", false, nil, "seat", "seats"},
		{"addresses", false, nil, "address", "addresses"},
		{"statuses", false, nil, "status", "statuses"},
		{"purchases", false, nil, "purchase", "purchases"},
		{"boxes", false, nil, "box", "boxes"},
		{"people", false, nil, "person", "people"},
		{"news", false, nil, "news", "news"},
		{"warehouses", false, nil, "warehouse", "warehouses"},
		{"canvas", false, nil, "canvas", "canvas"},
		{"call_events", false, nil, "call event", "call events"},
		{"", false, nil, "entry", "entries"},
		{"!!!", false, []string{"seat_number"}, "seat", "seats"},
		{"dup", true, []string{"payment_intent_id", "ticket_number"}, "ticket", "tickets"},
		{"dup", true, []string{"ticket_number"}, "ticket", "tickets"},
		{"dup", true, []string{"a", "b"}, "entry", "entries"},
		{"dup.csv.gz", true, []string{"order_id"}, "entry", "entries"},
		{"old.bookings.csv", true, nil, "booking", "bookings"},
		{"tickets", true, []string{"a"}, "ticket", "tickets"},
		{"Größen", false, nil, "größen", "größens"},
	} {
		if got := tableNouns(c.table, c.isFile, c.key); got != (nouns{c.one, c.many}) {
			t.Errorf("%q %v: got %v, want %s and %s", c.table, c.key, got, c.one, c.many)
		}
	}
}

func TestColumnLabel(t *testing.T) {
	for column, want := range map[string]string{
		"payment_intent_id": "payment intent", "ticket_number": "ticket", "id": "ID", "uuid": "UUID", "orderId": "order", "customer_email": "customer email", "seat": "seat", "=?utf-8?q?x?=": "utf 8 q x", "": "",
	} {
		if got := columnLabel(column); got != want {
			t.Errorf("%q: got %q, want %q", column, got, want)
		}
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "made at the same time", 14 * time.Millisecond: "made less than a second later", time.Second: "made 1 second later", 59 * time.Second: "made 59 seconds later",
		90 * time.Second: "made 2 minutes later", 69299 * time.Second: "made about 19 hours later", 155718 * time.Second: "made about 43 hours later", 72 * time.Hour: "made about 3 days later", -time.Minute: "made 1 minute earlier",
	} {
		say := english(t)
		if got := say.later(testNow, testNow.Add(d)); got != want || say.err != nil {
			t.Errorf("%v: got %q, %v, want %q", d, got, say.err, want)
		}
	}
}

func TestCopyLabel(t *testing.T) {
	table := ticketsTable()
	table.ID = []string{"ctid"}
	for name, c := range map[string]struct {
		id   casefile.Fields
		time *string
		want []string
	}{
		"columns":             {casefile.Fields{{Name: "id", Value: new("7")}, {Name: "ticket_number", Value: new("1")}}, nil, []string{"ID 7, ticket 1", "ID 7, ticket 1"}},
		"the engine's, timed": {casefile.Fields{{Name: "ctid", Value: new("(0,1)")}}, new("2025-12-24T03:20:37Z"), []string{"the first one", "the second one", "the third one", "number 4"}},
		"the engine's":        {casefile.Fields{{Name: "ctid", Value: new("(0,1)")}}, nil, []string{"the original", "the copy"}},
	} {
		g := &casefile.Group{}
		for i := range c.want {
			id := append(casefile.Fields{}, c.id...)
			if id[0].Name == "ctid" {
				id[0].Value = new(string(rune('a' + i)))
			}
			g.Rows = append(g.Rows, casefile.Row{ID: id, Time: c.time})
		}
		e := entry{group: g, table: &table, keep: &g.Rows[0]}
		var got []string
		for i := range g.Rows {
			got = append(got, (&composer{}).label(e, &g.Rows[i], english(t)))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: differs (-want +got):\n%s", name, diff)
		}
	}
}

// english speaks with the built-in words.
func english(t *testing.T) *speaker { return speakerOf(t, "en") }

func speakerOf(t *testing.T, language string) *speaker {
	t.Helper()
	mails, err := templates.BuiltinMails()
	if err != nil {
		t.Fatal(err)
	}
	return &speaker{words: mails.Words(language)}
}
