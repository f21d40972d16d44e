package notify

import (
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/templates"
)

func moveAway(t *testing.T, dir string) error {
	t.Helper()
	return os.Rename(dir, dir+".moved")
}

// paid gives the rows of a group amounts and a currency.
func paid(g *casefile.Group, currency string, amounts ...string) *casefile.Group {
	for i := range g.Rows {
		g.Rows[i].Values = append(g.Rows[i].Values, casefile.Field{Name: "amount_cents", Value: new(amounts[i])}, casefile.Field{Name: "currency", Value: new(currency)})
	}
	return g
}

func paidTable() casefile.Table {
	table := ticketsTable()
	table.Amount = "amount_cents"
	table.Columns = append(table.Columns, casefile.Column{Name: "amount_cents"}, casefile.Column{Name: "currency"})
	return table
}

func draftPaid(t *testing.T, groups []*casefile.Group, change func(*Options)) (*casefile.Opened, *Drafts) {
	t.Helper()
	opened := makeCase(t, groups, paidTable())
	options := testOptions()
	options.Refunds = []string{"due"}
	options.CurrencyColumn = "currency"
	if change != nil {
		change(&options)
	}
	d, err := Draft(t.Context(), opened, groups, keepFirst(groups), options)
	if err != nil {
		t.Fatal(err)
	}
	return opened, d
}

func TestAmounts(t *testing.T) {
	rules := &moneyRules{currencyColumn: "currency", minor: map[string]bool{}}
	table := paidTable()
	for _, c := range []struct {
		value, currency string
		minor           bool
		want            string
	}{
		{"4500", "EUR", true, "EUR 45.00"}, {"5", "EUR", true, "EUR 0.05"}, {"123456789", "usd", true, "USD 1,234,567.89"}, {"4500", "JPY", true, "JPY 4,500"}, {"4500", "KWD", true, "KWD 4.500"},
		{"45", "EUR", false, "EUR 45.00"}, {"45.5", "EUR", false, "EUR 45.50"}, {"45.0000", "EUR", false, "EUR 45.00"}, {"45.001", "EUR", false, ""}, {"45.5", "JPY", false, ""}, {"45.125", "KWD", false, "KWD 45.125"},
		{"4500.00", "EUR", true, "EUR 45.00"}, {"4500.5", "EUR", true, ""}, {"-45", "EUR", false, ""}, {"", "EUR", false, ""}, {"1e3", "EUR", false, ""}, {"45,00", "EUR", false, ""}, {"€45", "EUR", false, ""},
		{"45", "EURO", false, ""}, {"45", "", false, ""}, {" 45 ", " eur ", false, "EUR 45.00"}, {"999999999999999999", "EUR", false, "EUR 999,999,999,999,999,999.00"}, {"1000", "EUR", false, "EUR 1,000.00"}, {"0", "EUR", true, "EUR 0.00"},
	} {
		rules.minor[table.Name] = c.minor
		g := paid(pair("a", "a@example.com"), c.currency, c.value, c.value)
		got := ""
		if a, ok := rules.amountOf(&table, &g.Rows[0]); ok {
			say := english(t)
			if got = say.money(a); say.err != nil {
				t.Fatal(say.err)
			}
		}
		if got != c.want {
			t.Errorf("%q %s, minor %v: got %q, want %q", c.value, c.currency, c.minor, got, c.want)
		}
	}
	if got := speakerOf(t, "de").money(amount{"EUR", bigInt("123450")}); got != "1.234,50 EUR" {
		t.Errorf("in German: %q", got)
	}
}

func TestRefundWording(t *testing.T) {
	groups := []*casefile.Group{
		paid(pair("a", "one@example.com"), "EUR", "4500", "4500"),
		paid(pair("b", "two@example.com"), "EUR", "4500", "4500"), paid(pair("c", "two@example.com"), "EUR", "4500", "123450"),
		paid(pair("d", "mixed@example.com"), "EUR", "4500", "4500"), paid(pair("e", "mixed@example.com"), "USD", "4500", "4500"),
		paid(pair("f", "free@example.com"), "EUR", "0", "0"), paid(pair("g", "odd@example.com"), "EUR", "x", "y"),
	}
	opened, d := draftPaid(t, groups, nil)
	var notes string
	for _, n := range d.Notes {
		notes += n
	}
	if !strings.Contains(notes, "the amounts of 1 group cannot be read") {
		t.Errorf("the notes are %q", d.Notes)
	}
	for i, want := range []string{"We will refund EUR 45.00 in", "We will refund EUR 1,279.50 in", "We will refund what was charged too much in", "", "We will refund what was charged too much in"} {
		_, parts := decoded(t, read(t, opened.Dir, DraftsName, d.Mails[i].File))
		got := parts["text/plain"]
		if !strings.Contains(got, want) || want == "" && strings.Contains(got, "refund") {
			t.Errorf("%s does not say %q:\n%s", d.Mails[i].To, want, got)
		}
	}
	_, parts := decoded(t, read(t, opened.Dir, DraftsName, d.Mails[2].File))
	for _, want := range []string{"EUR 45.00 will be refunded", "USD 45.00 will be refunded", "charged with USD 45.00"} {
		if !strings.Contains(parts["text/plain"], want) {
			t.Errorf("two currencies do not say %q:\n%s", want, parts["text/plain"])
		}
	}
	if got := read(t, opened.Dir, DraftsName, SupportName); !strings.Contains(got, `"due EUR 1,279.50"`) {
		t.Errorf("the help desk does not see the refund:\n%s", got)
	}
}

func TestRefundMade(t *testing.T) {
	groups := func() []*casefile.Group {
		return []*casefile.Group{paid(pair("a", "one@example.com"), "EUR", "4500", "4500")}
	}
	for rule, want := range map[string]string{"made": "We have refunded EUR 45.00", "public.tickets=made": "We have refunded EUR 45.00", "none": "", "public.tickets=none": ""} {
		opened, d := draftPaid(t, groups(), func(o *Options) { o.Refunds = []string{rule} })
		_, parts := decoded(t, read(t, opened.Dir, DraftsName, d.Mails[0].File))
		if got := parts["text/plain"]; !strings.Contains(got, want) || want == "" && (strings.Contains(got, "refund") || strings.Contains(got, "EUR")) {
			t.Errorf("%s does not say %q:\n%s", rule, want, got)
		}
	}
}

func TestMoneyIsNotGuessed(t *testing.T) {
	groups := []*casefile.Group{paid(pair("a", "one@example.com"), "EUR", "4500", "4500")}
	unclear := paidTable()
	unclear.Amount = "currency"
	for name, c := range map[string]struct {
		code   string
		table  casefile.Table
		change func(*Options)
	}{
		"no currency":       {casefile.CodeUsage, paidTable(), func(o *Options) {}},
		"a wrong currency":  {casefile.CodeUsage, paidTable(), func(o *Options) { o.Currency = "€" }},
		"no such column":    {casefile.CodeNotFound, paidTable(), func(o *Options) { o.CurrencyColumn = "curency" }},
		"an unknown state":  {casefile.CodeUsage, paidTable(), func(o *Options) { o.Refunds = []string{"soon"} }},
		"an unknown table":  {casefile.CodeNotFound, paidTable(), func(o *Options) { o.Refunds = []string{"orders=due"} }},
		"a unit not known":  {casefile.CodeUsage, paidTable(), func(o *Options) { o.Currency, o.AmountUnit = "EUR", "cents" }},
		"cents or euros":    {casefile.CodeUsage, unclear, func(o *Options) { o.Currency = "EUR" }},
		"no such language":  {casefile.CodeNotFound, paidTable(), func(o *Options) { o.Language, o.Refunds = "tlh", nil }},
		"no language there": {casefile.CodeNotFound, paidTable(), func(o *Options) { o.LanguageColumn, o.Refunds = "lang", nil }},
	} {
		opened := makeCase(t, groups, c.table)
		options := testOptions()
		options.Refunds = []string{"due"}
		c.change(&options)
		_, err := Draft(t.Context(), opened, groups, keepFirst(groups), options)
		expectProblem(t, name, err, c.code)
	}
}

func TestLanguageOfTheCustomer(t *testing.T) {
	var groups []*casefile.Group
	for i, tag := range []string{"de-AT", "DE_de.UTF-8", "en", "", "fr"} {
		g := pair(string(rune('a'+i)), string(rune('a'+i))+"@example.com")
		groups = append(groups, paid(g, tag, "1", "1"))
	}
	opened := makeCase(t, groups, paidTable())
	options := testOptions()
	options.LanguageColumn, options.Language = "currency", "en-GB"
	d, err := Draft(t.Context(), opened, groups, keepFirst(groups), options)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range d.Mails {
		_, parts := decoded(t, read(t, opened.Dir, DraftsName, m.File))
		got = append(got, m.Language+" "+parts["text/plain"][:5])
	}
	if diff := cmp.Diff([]string{"de Guten", "de Guten", "en Hello", "en Hello", "en Hello"}, got); diff != "" {
		t.Errorf("languages (-want +got):\n%s", diff)
	}
	if len(d.Notes) != 1 || !strings.Contains(d.Notes[0], `"fr"`) {
		t.Errorf("the notes are %q", d.Notes)
	}
}

// TestGerman compares one whole mail.
func TestGerman(t *testing.T) {
	groups := []*casefile.Group{paid(incident()[2], "EUR", "4500", "4500")}
	opened, d := draftPaid(t, groups, func(o *Options) { o.Language = "de" })
	header, parts := decoded(t, read(t, opened.Dir, DraftsName, d.Mails[0].File))
	if diff := cmp.Diff(read(t, "testdata", "saul_de.txt"), parts["text/plain"]); diff != "" {
		t.Errorf("the text part differs (-want +got):\n%s", diff)
	}
	if message, err := LoadMessage(opened, d.Mails[0]); err != nil || message.Subject != "Ihr Eintrag wurde zweimal erfasst: bitte verwenden Sie den ersten" {
		t.Errorf("the subject is %q: %v", header.Get("Subject"), err)
	}
}

func TestCauseByClass(t *testing.T) {
	for class, want := range map[casefile.Class]string{
		casefile.Race: "at the same moment", casefile.SameTransaction: "One run of our software", casefile.Resubmit: "within a short time", casefile.Retry: "An automatic message", casefile.Replay: "Messages from the past", casefile.UntimedClass: "",
	} {
		g := pair("a", "a@example.com")
		g.Class = class
		opened, d := draftWith(t, []*casefile.Group{g}, nil, nil)
		_, parts := decoded(t, read(t, opened.Dir, DraftsName, d.Mails[0].File))
		want := "was recorded twice. " + map[bool]string{true: "We are sorry", false: want}[want == ""]
		if !strings.Contains(parts["text/plain"], want) && !strings.Contains(parts["text/plain"], strings.TrimPrefix(want, "was recorded twice. ")) {
			t.Errorf("%s does not say %q:\n%s", class, want, parts["text/plain"])
		}
	}
	unsure := pair("a", "a@example.com")
	unsure.Strength = casefile.Possible
	opened, d := draftWith(t, []*casefile.Group{unsure}, nil, nil)
	if _, parts := decoded(t, read(t, opened.Dir, DraftsName, d.Mails[0].File)); !strings.Contains(parts["text/plain"], "was recorded twice. We are sorry") {
		t.Errorf("the mail names a cause that is only possible:\n%s", parts["text/plain"])
	}
}

func TestOwnTemplates(t *testing.T) {
	groups := incident()
	opened := makeCase(t, groups)
	mails, err := templates.LoadMails(os.DirFS("testdata/templates"), "en")
	if err != nil {
		t.Fatal(err)
	}
	options := testOptions()
	options.Templates = mails
	d, err := Draft(t.Context(), opened, groups, keepFirst(groups), options)
	if err != nil {
		t.Fatal(err)
	}
	message, err := LoadMessage(opened, d.Mails[2])
	if err != nil || message.Subject != "About your ticket" || !strings.HasPrefix(message.Text, "Dear Saul Example,\n") || !strings.Contains(message.HTML, "<html") {
		t.Errorf("got %+v, %v", message, err)
	}
}

func bigInt(digits string) *big.Int {
	n, _ := new(big.Int).SetString(digits, 10)
	return n
}
