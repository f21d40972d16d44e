package report_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/report/internal/fixture"
)

func TestBuildTakesEveryFieldFromTheCase(t *testing.T) {
	opened, groups := fixture.Incident()
	doc := fixture.Document()
	if diff := cmp.Diff(opened.Tables[0].Totals, doc.Tables[0].Totals); diff != "" {
		t.Errorf("totals differ from the case's (-case +report):\n%s", diff)
	}
	for i, g := range groups {
		got := doc.Tables[0].Groups[i]
		if got.Number != g.Number || got.Class != g.Class || *got.SpanUS != *g.SpanUS || got.Strength != g.Strength {
			t.Errorf("group %d is %+v", i, got)
		}
		if diff := cmp.Diff(g.Reasons, got.Reasons); diff != "" {
			t.Errorf("reasons of group %d:\n%s", i, diff)
		}
	}
}

func TestBuildRefusesAGroupOfNoTable(t *testing.T) {
	opened, groups := fixture.Incident()
	groups[1].Table = "elsewhere"
	if _, err := report.Build(opened, groups, report.Extras{}); err == nil || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("error is %v", err)
	}
}

func TestBuildLeavesNoListNull(t *testing.T) {
	opened, _ := fixture.Incident()
	opened.Tables[0].Totals = casefile.Totals{}
	doc, err := report.Build(opened, []*casefile.Group{{Number: 1, Table: "tickets"}}, report.Extras{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(doc.Tables[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"unique_by":[]`, `"ignore":[]`, `"by_class":{}`, `"differs":[]`, `"reasons":[]`, `"unknown":[]`, `"rows":[]`, `"key":{}`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

func TestPlanReachesItsRows(t *testing.T) {
	plan := fixture.Plan()
	plan.Choices[1].Keep, plan.Choices[1].Held = nil, "copies differ"
	doc := fixture.MustBuild(report.Extras{Plan: plan})
	var got [][]report.Fate
	for _, g := range doc.Tables[0].Groups {
		got = append(got, []report.Fate{g.Rows[0].Fate, g.Rows[1].Fate})
	}
	want := [][]report.Fate{{report.Keep, report.Remove}, {"", ""}, {report.Keep, report.Remove}, {report.Keep, report.Remove}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fates (-want +got):\n%s", diff)
	}
	held := doc.Tables[0].Groups[1].Choice
	if held == nil || held.Held != "copies differ" {
		t.Errorf("the held group's choice is %+v", held)
	}
}

func TestPlanOfOneTableDoesNotTouchAnother(t *testing.T) {
	plan := fixture.Plan()
	for i := range plan.Choices {
		plan.Choices[i].Table = "public.calls"
	}
	for _, g := range fixture.MustBuild(report.Extras{Plan: plan}).Tables[0].Groups {
		if g.Choice != nil || g.Rows[0].Fate != "" {
			t.Errorf("group %d has the choice %+v", g.Number, g.Choice)
		}
	}
}

func TestNextFollowsTheDocuments(t *testing.T) {
	plan := fixture.Plan()
	for name, c := range map[string]struct {
		extras report.Extras
		want   []string
	}{
		"scanned": {report.Extras{}, []string{"twinrow report case-dup --format html -o report.html", "twinrow plan case-dup"}},
		"planned": {report.Extras{Plan: plan}, []string{"twinrow apply case-dup --dry-run", "twinrow apply case-dup --allow deletes-rows,builds-index"}},
		"stopped": {report.Extras{Plan: plan, Journal: &report.Journal{State: report.Stopped}}, []string{"twinrow apply case-dup --allow deletes-rows,builds-index", "twinrow undo case-dup"}},
		"undone":  {report.Extras{Plan: plan, Journal: &report.Journal{State: report.Undone}}, []string{"twinrow plan case-dup"}},
		"applied": {report.Extras{Plan: plan, Journal: &report.Journal{State: report.Applied}}, []string{"twinrow verify case-dup", "twinrow notify draft case-dup --from ADDRESS --reply-to ADDRESS", "twinrow probe SPEC.yaml --case case-dup"}},
		"drafted": {report.Extras{Plan: plan, Journal: &report.Journal{State: report.Applied}, Mails: &report.Mails{Drafts: 4}}, []string{"twinrow verify case-dup", "twinrow probe SPEC.yaml --case case-dup"}},
		"proven":  {report.Extras{Plan: plan, Journal: &report.Journal{State: report.Applied}, Mails: &report.Mails{Drafts: 4}, Probes: []report.Probe{{Verdict: "fail"}, {Verdict: "pass"}}}, []string{"twinrow verify case-dup"}},
	} {
		var got []string
		for _, s := range fixture.MustBuild(c.extras).Next() {
			got = append(got, s.Command)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := fixture.Empty().Next(); len(got) != 0 {
		t.Errorf("a case without duplicates asks for %v", got)
	}
}

func TestNextNeedsAPlanForAJournal(t *testing.T) {
	doc := fixture.MustBuild(report.Extras{Journal: &report.Journal{State: report.Stopped}})
	if got := doc.Next(); len(got) != 2 {
		t.Errorf("next is %v", got)
	}
}

func TestTheChecklistSaysWhatTheDocumentsSay(t *testing.T) {
	plan := fixture.Plan()
	applied := &report.Journal{State: report.Applied, Removed: 4, At: "2025-12-27T10:00:00Z", Indexes: []string{"tickets_key"}}
	for name, c := range map[string]struct {
		extras report.Extras
		want   []string
	}{
		"scanned": {report.Extras{}, []string{"open: nothing is planned yet", "open: nothing was done yet", "by hand: no document of the case tells", "open: no mail is drafted yet", "by hand: no document of the case tells", "open: nothing was probed yet"}},
		"planned": {report.Extras{Plan: plan}, []string{"open: planned, and not begun", "open: nothing was done yet", "by hand: no document of the case tells", "open: no mail is drafted yet", "by hand: no document of the case tells", "open: nothing was probed yet"}},
		"done": {report.Extras{
			Plan: plan, Journal: applied, Mails: &report.Mails{Drafts: 4, Sent: 4},
			Probes: []report.Probe{{Name: "p", Environment: "staging", Verdict: "fail"}, {Name: "p", Environment: "staging", Verdict: "pass", Requests: 100, Rounds: 20}},
		}, []string{"done: 4 rows removed by 2025-12-27 10:00:00 UTC", "done: unique index tickets_key built", "by hand: no document of the case tells", "done: 4 mails drafted, 4 sent", "by hand: no document of the case tells", "done: pass: p on staging, 100 requests in 20 rounds"}},
		"troubled": {report.Extras{
			Plan: &report.Plan{Held: 2}, Journal: &report.Journal{State: report.Applied, Removed: 2, At: "2025-12-27T10:00:00Z"}, Mails: &report.Mails{Drafts: 4, Sent: 1, Unknown: 2, Failed: 1},
			Probes: []report.Probe{{Name: "p", Environment: "prod", Verdict: "fail"}, {Name: "p", Environment: "staging", Verdict: "pass"}},
		}, []string{"partly: 2 rows removed by 2025-12-27 10:00:00 UTC; 2 groups held back for a person to decide", "open: no index was built", "by hand: no document of the case tells", "failed: 4 mails drafted, 1 sent, 2 unknown, 1 failed", "by hand: no document of the case tells", "failed: fail: p on prod"}},
		"drifted": {report.Extras{
			Plan: plan, Journal: &report.Journal{State: report.Stopped, Removed: 3, Drifted: 1, At: "2025-12-27T10:00:00Z"},
			Mails: &report.Mails{Drafts: 4, Sent: 1, Confirmed: &report.Confirmed{Provider: "sendgrid", Twice: 3, NotTwice: 1}},
		}, []string{"partly: stopped 2025-12-27 10:00:00 UTC, with 3 rows removed", "open: no index was built", "by hand: no document of the case tells", "partly: 4 mails drafted, 1 sent", "by hand: no document of the case tells", "open: nothing was probed yet"}},
		"undone": {report.Extras{Plan: plan, Journal: &report.Journal{State: report.Undone, At: "2025-12-27T10:00:00Z"}, Probes: []report.Probe{{Name: "p", Verdict: "inconclusive"}}}, []string{
			"open: taken back 2025-12-27 10:00:00 UTC", "open: taken back 2025-12-27 10:00:00 UTC", "by hand: no document of the case tells", "open: no mail is drafted yet", "by hand: no document of the case tells", "open: inconclusive: p"}},
	} {
		var got []string
		for _, check := range fixture.MustBuild(c.extras).Checklist {
			got = append(got, string(check.State)+": "+check.Text)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := fixture.Empty().Checklist; len(got) != 0 {
		t.Errorf("a case without duplicates has the list %v", got)
	}
}

func TestTheTimelineIsInOrderOfTimeWhateverTheForm(t *testing.T) {
	events := []report.Event{{At: "2025-12-27T09:30:00Z", Text: "clean-up begun", From: "journal.jsonl: n 1"}}
	for range 100 {
		events = append(events, report.Event{At: "2025-12-27T10:00:00Z", Text: "batch", From: "journal.jsonl"})
	}
	doc := fixture.MustBuild(report.Extras{
		Journal: &report.Journal{State: report.Applied, At: "2025-12-27T10:00:00Z", Events: events},
		Mails:   &report.Mails{Drafts: 4, Sent: 2, DraftedAt: "2025-12-27T10:05:00Z", FirstSentAt: "2025-12-27T10:06:00Z", LastSentAt: "2025-12-27T10:06:01Z"},
		Probes:  []report.Probe{{Name: "p", Verdict: "fail", At: "2025-12-26T10:00:00Z", From: "probes/p.json: verdict"}},
	})
	var got []string
	for _, e := range doc.Timeline {
		if e.From == "" {
			t.Errorf("%q is from nowhere", e.Text)
		}
		if e.Text != "batch" {
			got = append(got, e.Text)
		}
	}
	want := []string{
		"first duplicate written", "last duplicate written", "probed, fail: p", "scanned, and the case written", "clean-up begun",
		"61 more records until 2025-12-27 10:00:00 UTC", "4 mails drafted", "first mail accepted by the provider", "last mail accepted by the provider",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	if len(doc.Timeline) > 60 {
		t.Errorf("it has %d events", len(doc.Timeline))
	}
}

func TestUnknowns(t *testing.T) {
	groups := []report.Group{{Number: 1, Unknown: []string{"x", "all"}}, {Number: 2, Unknown: []string{"all", "y"}}, {Number: 3, Unknown: []string{"all"}}}
	got, more := report.Unknowns(groups, 2)
	if diff := cmp.Diff([]report.Unknown{{Text: "all"}, {Text: "x", Groups: []int{1}}}, got); diff != "" || more != 1 {
		t.Errorf("%d more; (-want +got):\n%s", more, diff)
	}
}
