package classify

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

func values(texts ...string) []source.Value {
	out := make([]source.Value, len(texts))
	for i, text := range texts {
		out[i] = source.Value{Text: text, Null: text == "NULL"}
	}
	return out
}

func TestHowColumnsDiffer(t *testing.T) {
	for _, c := range []struct {
		name, column string
		values       []source.Value
		want         []string // path kind says
	}{
		{"numbers", "integer", values("4500", "5000", "4500"), []string{" number by 500"}},
		{"exact decimals", "numeric", values("0.1", "0.30", "100000000000000000000.1"), []string{" number by 100000000000000000000.00"}},
		{"numbers of a file", "text", values("1", "2.5"), []string{" number by 1.5"}},
		{"times", "timestamp with time zone", values("2025-01-01 00:00:00+00", "2025-01-01 00:00:03.25+00"), []string{" time by 3.25 s"}},
		{"NULL", "text", values("a", "NULL", "a"), []string{" text NULL in 1 of 3 rows"}},
		{"NULL and more", "text", values("a", "NULL", "b"), []string{" text NULL in 1 of 3 rows, 2 different texts"}},
		{"not a number", "double precision", values("NaN", "1"), []string{" number 2 different values"}},
		{"json", "jsonb", values(`{"a": {"b c": [1, 2]}, "same": true}`, `{"a": {"b c": [1, 3]}, "same": true, "new": "x"}`),
			[]string{`$.a."b c"[1] number by 1`, `$.new text missing in 1 of 2 rows`}},
		{"json of a file", "text", values(`{"a":1}`, `{"a":null}`), []string{`$.a text 2 different values`}},
		{"json in another order", "json", values(`{"a":1,"b":2}`, `{"b":2,"a":1}`), []string{` json 2 different values`}},
		{"json and NULL", "jsonb", values(`{"a":1}`, "NULL"), []string{`$.a number missing in 1 of 2 rows`}},
		{"broken json", "text", values(`{"a":1}`, `{"a":`), []string{` text 2 different texts`}},
		{"hostile text", "text", values("<b>\x1b[31m", "\u202e"), []string{" text 2 different texts"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, d := range Differ(source.Column{Name: "x", Type: c.column}, c.values) {
				got = append(got, d.Path+" "+d.Kind+" "+d.Says)
			}
			if c.name == "json of a file" {
				c.want = []string{`$.a text 2 different texts`}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestManyValuesAreSummedUp(t *testing.T) {
	var many []source.Value
	for i := range 100_000 {
		many = append(many, source.Value{Text: strings.Repeat("é", 300) + string(rune('a'+i%26)) + string(rune('a'+i/26%26))})
	}
	d := Differ(source.Column{Name: "x", Type: "text"}, many)
	if len(d) != 1 || len(d[0].Values) != mostVariants || d[0].MoreValues != 26*26-mostVariants || len([]rune(*d[0].Values[0].Value)) != mostRunes+1 {
		t.Errorf("%d differences, the first with %d values and %d more", len(d), len(d[0].Values), d[0].MoreValues)
	}
}

func FuzzDiffer(f *testing.F) {
	f.Add("jsonb", `{"a":[1,{"b":null}]}`, `[]`)
	f.Add("numeric", "1e400", "-1e-400")
	f.Add("money", "$1,000.00", "NULL")
	f.Fuzz(func(t *testing.T, columnType, a, b string) {
		if a == b {
			return
		}
		for _, d := range Differ(source.Column{Name: "x", Type: columnType}, values(a, b)) {
			if d.Says == "" || len(d.Values) < 2 {
				t.Errorf("%q and %q: %+v", a, b, d)
			}
		}
	})
}

func TestAmountsAddUpExactly(t *testing.T) {
	row := func(amount string) casefile.Row {
		v := &amount
		if amount == "NULL" {
			v = nil
		}
		return casefile.Row{Values: casefile.Fields{{Name: "amount", Value: v}}}
	}
	table := &casefile.Table{Amount: "amount", Totals: casefile.Totals{Surplus: 6}}
	groups := []*casefile.Group{
		{Identical: true, Rows: []casefile.Row{row("1000"), row("0.1"), row("0.20")}},
		{Differs: []string{"amount"}, Rows: []casefile.Row{row("1000"), row("123456789012345678901234567890"), row("NULL"), row("NaN"), row("1e999999999")}},
	}
	got := Impact(table, groups, false)
	want := &casefile.Impact{
		Surplus: 6, Differing: 1, DifferingColumns: []casefile.ColumnCount{{Name: "amount", Count: 1}},
		Amount: new("123456789012345678901234567890.30"), AmountUnread: 3, Unknown: []string{"the amount of 3 surplus rows: it is NULL or no number"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	table.Columns = []casefile.Column{{Name: "amount", Type: "money"}}
	if got := Impact(table, []*casefile.Group{{Rows: []casefile.Row{row("$1"), row("-$1,234.50"), row("$0.50")}}}, false); *got.Amount != "-1234.00" {
		t.Errorf("money adds up to %s", *got.Amount)
	}
}

func TestWhatTellsThatARowWasUsed(t *testing.T) {
	when := at(0)
	e := Evidence{At: &source.Instant{Time: when}}
	row := &casefile.Row{
		References: []casefile.Reference{{Table: "public.scans", Rows: 2}},
		Values: casefile.Fields{
			{Name: "checked_in_at", Value: new("2025-12-25")}, {Name: "used_at", Value: nil}, {Name: "updated_at", Value: new("2026-01-01")},
			{Name: "event_at", Value: new("2026-06-01")}, {Name: "seen", Value: new("yes")},
		},
	}
	want := []string{"referred to by public.scans", "checked_in_at is set", "updated_at is later than the row's own time"}
	if diff := cmp.Diff(want, UsedSince(row, e)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := UsedSince(&casefile.Row{Values: casefile.Fields{{Name: "updated_at", Value: new("2025-12-24T03:20:37.5Z")}}}, e); got != nil {
		t.Errorf("half a second later is no use: %q", got)
	}
}

// simulatedIncident draws rows an hour with a share of duplicates between two hours.
func simulatedIncident(seed uint64, hours, from, to, rows int, share float64) ([]time.Time, source.Timeline, source.Window) {
	random := rand.New(rand.NewPCG(seed, 1))
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	var duplicates, all []time.Time
	for h := range hours {
		for range rows {
			when := start.Add(time.Duration(h)*time.Hour + time.Duration(random.Float64()*float64(time.Hour)))
			all = append(all, when)
			if h >= from && h < to && random.Float64() < share {
				duplicates = append(duplicates, when)
			}
		}
	}
	slices.SortFunc(duplicates, time.Time.Compare)
	now := start.Add(time.Duration(hours) * time.Hour)
	w := IncidentWindow(duplicates, now)
	line := source.Timeline{Counts: make([]int64, w.Buckets)}
	for _, when := range all {
		line.Add(w, when)
	}
	return duplicates, line, w
}

func TestOnsetAndEndAreFound(t *testing.T) {
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	within := 0
	for seed := range uint64(40) {
		duplicates, line, w := simulatedIncident(seed, 400, 150, 220, 60, 0.05)
		in := Incident(duplicates, 0, w, &line)
		if in.Onset == nil || in.End == nil || in.State != "ended" {
			t.Fatalf("seed %d: %+v", seed, in.Says)
		}
		truth := start.Add(150 * time.Hour)
		earliest, _ := time.Parse(time.RFC3339Nano, *in.Onset.Earliest)
		latest, _ := time.Parse(time.RFC3339Nano, *in.Onset.Latest)
		if !truth.Before(earliest) && !truth.After(latest) {
			within++
		}
		if *in.Share < 0.03 || *in.Share > 0.07 {
			t.Errorf("seed %d: a share of %f", seed, *in.Share)
		}
	}
	if within < 36 {
		t.Errorf("the interval holds the true onset in %d of 40", within)
	}
}

func TestAnIncidentThatGoesOn(t *testing.T) {
	duplicates, line, w := simulatedIncident(7, 200, 120, 200, 60, 0.05)
	in := Incident(duplicates, 0, w, &line)
	if in.State != "going-on" || in.Onset == nil || in.End != nil {
		t.Errorf("state %s, %q", in.State, in.Says)
	}
}

// TestRowsSinceInTheSameBucket: a row that came after the last duplicate, but
// within its bucket, is a row since.
func TestRowsSinceInTheSameBucket(t *testing.T) {
	last := at(0)
	w := IncidentWindow([]time.Time{last}, last.Add(24*time.Hour))
	for _, c := range []struct {
		newest time.Time
		since  int64
		says   string
	}{{last, 0, "no row came since"}, {last.Add(time.Microsecond), 1, "the rows since then are few"}} {
		line := source.Timeline{Counts: make([]int64, w.Buckets)}
		line.Add(w, last)
		line.Add(w, c.newest)
		in := Incident([]time.Time{last}, 0, w, &line)
		if *in.RowsSince != c.since || !strings.HasSuffix(in.Says[len(in.Says)-1], c.says) {
			t.Errorf("newest row %s: %d rows since, %q", c.newest, *in.RowsSince, in.Says)
		}
	}
}

func TestDuplicatesAllAlongHaveNoOnset(t *testing.T) {
	for seed := range uint64(30) {
		duplicates, line, w := simulatedIncident(seed, 200, 0, 200, 60, 0.02)
		if in := Incident(duplicates, 0, w, &line); in.Onset != nil {
			t.Errorf("seed %d: an onset at %s out of nothing", seed, in.Onset.At)
		}
	}
}

// The last hour of this table was written by redeliveries alone, after twenty
// days of as many duplicates as rows.
func TestATailOfRedeliveriesIsNoOnset(t *testing.T) {
	duplicates, line, w := simulatedIncident(3, 480, 0, 480, 60, 0.4)
	last := duplicates[len(duplicates)-1]
	for i := range 3000 {
		late := last.Add(time.Duration(i) * time.Millisecond)
		duplicates = append(duplicates, late)
		line.Add(w, late)
	}
	if in := Incident(duplicates, 0, w, &line); in.Onset != nil || in.End != nil {
		t.Errorf("an onset at %v of what came all along", in.Onset)
	}
}

func TestTimesThatSayNothing(t *testing.T) {
	now := at(0)
	group := []Evidence{
		{At: &source.Instant{Time: now.Add(-time.Hour)}}, {At: &source.Instant{Time: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)}},
		{At: &source.Instant{Time: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}}, {}, {At: &source.Instant{Time: now.Add(-time.Minute)}},
	}
	duplicates, leftOut := Duplicates([][]Evidence{group}, now)
	if len(duplicates) != 1 || leftOut != 2 {
		t.Fatalf("%d duplicates, %d left out", len(duplicates), leftOut)
	}
	w := IncidentWindow(duplicates, now)
	in := Incident(duplicates, leftOut, w, nil)
	if in.Onset != nil || in.State != "cannot-tell" || in.Share != nil || in.Buckets[0].Rows != nil {
		t.Errorf("got %+v", in)
	}
	if w := IncidentWindow([]time.Time{time.Unix(0, 0), now}, now); w.Buckets > mostBuckets+1 {
		t.Errorf("half a century has %d buckets", w.Buckets)
	}
}
