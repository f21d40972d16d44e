package suspect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/source"
)

// table makes one of columns "name type", with rows; a mark behind says more:
// "!" not null, ">t" a foreign key, "=0.5" a share of distinct values.
func table(rows int64, columns ...string) *source.CatalogueTable {
	t := &source.CatalogueTable{Name: "public.things", Bare: "things", Rows: rows}
	for _, text := range columns {
		words := strings.Fields(text)
		c := source.CatalogueColumn{Name: words[0], Type: "text", Distinct: -1, Nulls: -1}
		for _, w := range words[1:] {
			switch {
			case w == "!":
				c.NotNull = true
			case w[0] == '>':
				c.Refers = w[1:]
			case w == "=1":
				c.Distinct = 1
			case w == "=0.99":
				c.Distinct = 0.99
			case w == "=0.1":
				c.Distinct = 0.1
			default:
				c.Type = w
			}
		}
		t.Columns = append(t.Columns, c)
	}
	return t
}

func named(name string, t *source.CatalogueTable) *source.CatalogueTable {
	t.Name, t.Bare = "public."+name, name
	return t
}

func unique(t *source.CatalogueTable, where string, columns ...string) *source.CatalogueTable {
	x := source.CatalogueIndex{Name: "things_" + columns[0], Where: where, Valid: true, Enforces: true}
	for _, c := range columns {
		x.Parts = append(x.Parts, source.CataloguePart{Text: c, Expression: strings.Contains(c, "(")})
	}
	t.Indexes = append(t.Indexes, x)
	return t
}

func TestWhatIsSuspicious(t *testing.T) {
	for name, c := range map[string]struct {
		table *source.CatalogueTable
		want  []string
	}{
		"a name":                                {table(-1, "id", "idempotency_key", "note"), []string{"not-unique idempotency_key"}},
		"a name in capitals":                    {table(-1, "stripeEventID"), []string{"not-unique stripeEventID"}},
		"unique already":                        {unique(table(-1, "event_id"), "", "event_id"), nil},
		"unique by an expression":               {unique(table(-1, "message_id"), "", "lower(message_id)"), nil},
		"unique where it is not NULL":           {unique(table(-1, "event_id"), "(event_id IS NOT NULL)", "event_id"), nil},
		"unique for some":                       {unique(table(-1, "event_id"), "(live)", "event_id"), []string{"partly-unique event_id"}},
		"unique with another column":            {unique(table(-1, "event_id", "shop !"), "", "event_id", "shop"), []string{"nulls-repeat event_id,shop", "not-unique event_id"}},
		"a reference":                           {table(-1, "event_id >events"), nil},
		"a table of that name":                  {table(-1, "message_id"), nil},
		"a payment of several tickets":          {table(-1, "payment_intent_id", "ticket_number integer"), []string{"not-unique payment_intent_id,ticket_number"}},
		"and statistics that it has one":        {table(1000, "payment_intent_id =0.99", "ticket_number integer =0.1"), []string{"not-unique payment_intent_id", "not-unique payment_intent_id,ticket_number"}},
		"a line of an order":                    {table(-1, "order_id uuid >orders", "line integer"), []string{"not-unique order_id,line"}},
		"a line that is unique under its order": {unique(table(-1, "order_id uuid >orders !", "line integer !"), "", "order_id", "line"), nil},
		"many of one":                           {table(1000, "transaction_id =0.1"), nil},
		"many of one idempotency key":           {table(1000, "idempotency_key =0.1"), []string{"not-unique idempotency_key"}},
		"statistics alone":                      {table(1000, "voucher_code =0.99", "full_name =0.99", "at timestamp =1"), []string{"not-unique voucher_code"}},
		"few rows say nothing":                  {table(5, "voucher_code =1"), nil},
		"an address of people":                  {named("users", table(-1, "id", "email")), []string{"not-unique email"}},
		"an address of things":                  {table(-1, "id", "email"), nil},
		"a type that is no key":                 {table(-1, "event_id jsonb"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range inTable(c.table, map[string]bool{"messages": true}) {
				got = append(got, s.Kind+" "+strings.Join(s.Key, ","))
				if len(s.Reasons) == 0 || s.Score < 1 || s.Score > 100 {
					t.Errorf("%v has the score %d and the reasons %q", s.Key, s.Score, s.Reasons)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("suspects (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSnake(t *testing.T) {
	for name, want := range map[string]string{"eventId": "event_id", "EventID": "event_id", "stripe-event-id": "stripe_event_id", "HTTPRequestId": "http_request_id", "event_id": "event_id", "": "", "ÄpfelID": "äpfel_id"} {
		if got := snake(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

func TestScanLine(t *testing.T) {
	got := scanLine(&Suspect{Table: `public."it's"`, Key: []string{"a,b", "lower(c)", `d"e`}, Time: "created at", where: "x = 'y'", nullsEqual: true}, "postgres://me@localhost/shop?host=/tmp")
	if got, want := quote("a\n'\\b"), `$'a\n\'\\b'`; got != want {
		t.Errorf("a name of two lines is %s, want %s", got, want)
	}
	want := `twinrow scan 'postgres://me@localhost/shop?host=/tmp' --table 'public."it'\''s"' --key '"a,b",lower(c),"d""e"' --time 'created at' --where 'x = '\''y'\''' --nulls not-distinct`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}
