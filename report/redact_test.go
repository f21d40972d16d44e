package report_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/report/csv"
	"twinrow/report/html"
	"twinrow/report/internal/fixture"
	"twinrow/report/json"
	"twinrow/report/markdown"
	"twinrow/report/table"
)

func TestRedactedValuesAreInNoFormat(t *testing.T) {
	opened, groups := fixture.FactsCase()
	groups[1].Reasons = append(groups[1].Reasons, "the address trinity@example.com occurs twice")
	groups[1].Rows[1].UsedSince = []string{"customer_name was Trinity Example before"}
	opened.Tables[0].Where = "customer_email <> 'mallory@example.com'"
	opened.Tables[0].Untimed = &casefile.Untimed{Rows: 1, First: new("secret day")}
	doc, err := report.Build(opened, groups, report.Extras{Plan: fixture.Plan()})
	if err != nil {
		t.Fatal(err)
	}
	redacted := report.Redact(doc)
	var all bytes.Buffer
	for _, err := range []error{
		table.Render(&all, redacted, table.Options{Width: 200}), json.Render(&all, redacted), csv.Render(&all, redacted),
		markdown.Render(&all, redacted), page(&all, redacted),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	secrets := []string{"mallory", "secret day", opened.SHA256, "vip\": true", "checked in"}
	for _, g := range groups {
		secrets = append(secrets, *g.Key[0].Value)
		for _, f := range g.Rows[1].Values {
			if f.Name != "id" && f.Name != "status" && f.Name != "ticket_number" && f.Name != "created_at" {
				secrets = append(secrets, *f.Value)
			}
		}
	}
	for _, secret := range secrets {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%q is still there", secret)
		}
	}
	if !strings.Contains(all.String(), "108") {
		t.Error("the ids are gone, without which nobody can act")
	}
}

func TestMasksAreStableInACaseAndDifferBetweenCases(t *testing.T) {
	one, again := report.Redact(fixture.Document()), report.Redact(fixture.Document())
	if diff := cmp.Diff(one, again); diff != "" {
		t.Errorf("two redactions differ:\n%s", diff)
	}
	rows := one.Tables[0].Groups[0].Rows
	if a, b := rows[0].Values[4], rows[1].Values[4]; *a.Value != *b.Value {
		t.Errorf("one address has the masks %s and %s", *a.Value, *b.Value)
	}
	if a, b := one.Tables[0].Groups[0].Key[0], rows[0].Values[1]; *a.Value != *b.Value {
		t.Errorf("the key's value has the masks %s and %s", *a.Value, *b.Value)
	}
	other := fixture.Document()
	other.CaseSHA256 = strings.Repeat("0", 64)
	if a, b := report.Redact(other).Tables[0].Groups[0].Key[0], one.Tables[0].Groups[0].Key[0]; *a.Value == *b.Value {
		t.Errorf("two cases have the mask %s in common", *a.Value)
	}
}

func TestRedactLeavesItsSourceAsItWas(t *testing.T) {
	doc := fixture.Document()
	report.Redact(doc)
	if diff := cmp.Diff(fixture.Document(), doc); diff != "" {
		t.Errorf("the document changed:\n%s", diff)
	}
}

func TestRedactMasksAnIdThatIsAnAddressOrAKey(t *testing.T) {
	opened, groups := fixture.Incident()
	opened.Tables[0].ID = []string{"customer_email", "payment_intent_id"}
	for _, g := range groups {
		for i := range g.Rows {
			g.Rows[i].ID = casefile.Fields{g.Rows[i].Values[4], g.Rows[i].Values[1]}
		}
	}
	doc, err := report.Build(opened, groups, report.Extras{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Redact(doc).Tables[0].Groups[0].Rows[0].ID {
		if !strings.HasPrefix(*f.Value, "masked:") {
			t.Errorf("%s is %s", f.Name, *f.Value)
		}
	}
}

func TestRedactKeepsNulls(t *testing.T) {
	group := report.Redact(fixture.TwoTables()).Tables[1].Groups[0]
	if group.Key[0].Value != nil || group.Rows[0].Values[3].Value != nil {
		t.Errorf("a NULL was masked: %v", group)
	}
	if got := *group.Rows[0].Values[4].Value; got == "soon" {
		t.Error("a value in the time column that is no time was left")
	}
}

func page(w io.Writer, doc *report.Document) error {
	_, err := html.Render(w, doc, html.Options{})
	return err
}
