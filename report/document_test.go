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
		"applied": {report.Extras{Plan: plan, Journal: &report.Journal{State: report.Applied}}, []string{"twinrow verify case-dup", "twinrow notify draft case-dup --from ADDRESS --reply-to ADDRESS"}},
		"drafted": {report.Extras{Plan: plan, Journal: &report.Journal{State: report.Applied}, Mails: &report.Mails{Drafts: 4}}, []string{"twinrow verify case-dup"}},
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

func TestDone(t *testing.T) {
	doc := fixture.MustBuild(report.Extras{
		Plan:    fixture.Plan(),
		Journal: &report.Journal{State: report.Applied, Removed: 4, At: "2025-12-27T10:00:00Z"},
		Probes:  []report.Probe{{Name: "call-event", Environment: "staging", Verdict: "pass", Statement: "a window of 0.4 ms would have been caught"}},
		Mails:   &report.Mails{Drafts: 4, Sent: 1, Unknown: 2, Failed: 1},
	})
	want := []string{
		"planned, with the hazards deletes-rows, builds-index",
		"applied 2025-12-27 10:00:00 UTC, 4 rows removed",
		"probe call-event on staging: pass; a window of 0.4 ms would have been caught",
		"4 mails drafted, 1 sent, 2 unknown, 1 failed",
	}
	if diff := cmp.Diff(want, doc.Done()); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
}

func TestUnknowns(t *testing.T) {
	groups := []report.Group{{Number: 1, Unknown: []string{"x", "all"}}, {Number: 2, Unknown: []string{"all", "y"}}, {Number: 3, Unknown: []string{"all"}}}
	got, more := report.Unknowns(groups, 2)
	if diff := cmp.Diff([]report.Unknown{{Text: "all"}, {Text: "x", Groups: []int{1}}}, got); diff != "" || more != 1 {
		t.Errorf("%d more; (-want +got):\n%s", more, diff)
	}
}
