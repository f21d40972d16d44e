package notify

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/templates"
)

// pair is a group of two rows of one customer.
func pair(key, email string) *casefile.Group {
	r := testRow{key + "-1", key, "1", "Ada Example", email, "2025-12-24T03:20:37.914Z"}
	s := r
	s.id, s.at = key+"-2", "2025-12-24T03:20:37.993Z"
	return group(r, s)
}

// draftWith drafts a new case of the groups with changed choices and options.
func draftWith(t *testing.T, groups []*casefile.Group, choose func([]Choice), change func(*Options)) (*casefile.Opened, *Drafts) {
	t.Helper()
	opened := makeCase(t, groups)
	choices := keepFirst(groups)
	if choose != nil {
		choose(choices)
	}
	options := testOptions()
	if change != nil {
		change(&options)
	}
	d, err := Draft(t.Context(), opened, groups, choices, options)
	if err != nil {
		t.Fatal(err)
	}
	return opened, d
}

func skippedOf(d *Drafts) map[int]SkipReason {
	got := map[int]SkipReason{}
	for _, s := range d.Skipped {
		got[s.Group] = s.Reason
	}
	return got
}

func TestRowsNotRemovedYet(t *testing.T) {
	states := []string{templates.CopiesPlanned, templates.CopiesRemoved, "", templates.CopiesPlanned}
	choose := func(choices []Choice) {
		for i := range choices {
			choices[i].Cleanup = states[i]
		}
		choices[3].Drifted = true
	}
	groups := func() []*casefile.Group {
		return []*casefile.Group{pair("a", "a@example.com"), pair("b", "b@example.com"), pair("c", "c@example.com"), pair("d", "d@example.com")}
	}
	opened, d := draftWith(t, groups(), choose, nil)
	if diff := cmp.Diff(map[int]SkipReason{1: NotRemovedYet, 4: GroupDrifted}, skippedOf(d)); diff != "" || len(d.Mails) != 2 {
		t.Errorf("%d mails, skipped (-want +got):\n%s", len(d.Mails), diff)
	}
	if _, err := Pending(opened, SendOptions{Removed: map[int]bool{2: true}}); err != nil {
		t.Error(err)
	}
	_, err := Pending(opened, SendOptions{Removed: map[int]bool{}})
	expectProblem(t, "rows that are back", err, casefile.CodeDrift)
	for file, want := range map[string]string{"0001.eml": "We have removed the extra copy already.", "0002.eml": ""} {
		_, parts := decoded(t, read(t, opened.Dir, DraftsName, file))
		if got := parts["text/plain"] + parts["text/html"]; strings.Count(got, "extra copy") != map[bool]int{true: 2}[want != ""] || !strings.Contains(got, want) {
			t.Errorf("%s does not say %q of the clean-up:\n%s", file, want, got)
		}
	}
	opened, d = draftWith(t, groups(), choose, func(o *Options) { o.BeforeCleanup = true })
	if diff := cmp.Diff(map[int]SkipReason{4: GroupDrifted}, skippedOf(d)); diff != "" || len(d.Mails) != 3 {
		t.Errorf("before the clean-up: %d mails, skipped (-want +got):\n%s", len(d.Mails), diff)
	}
	if _, parts := decoded(t, read(t, opened.Dir, DraftsName, "0001.eml")); !strings.Contains(parts["text/plain"], "We will remove the extra copy.") {
		t.Errorf("the mail does not say what happens next:\n%s", parts["text/plain"])
	}
}

func TestRoleAddresses(t *testing.T) {
	groups := func() []*casefile.Group {
		return []*casefile.Group{pair("a", "info@example.com"), pair("b", "Billing+may@example.com"), pair("c", "informed@example.com"), pair("d", "no-reply@example.com")}
	}
	if _, d := draftWith(t, groups(), nil, nil); len(d.Mails) != 4 {
		t.Errorf("%d mails without being asked, want 4", len(d.Mails))
	}
	_, d := draftWith(t, groups(), nil, func(o *Options) { o.SkipRoles = true })
	if diff := cmp.Diff(map[int]SkipReason{1: RoleAddress, 2: RoleAddress, 4: RoleAddress}, skippedOf(d)); diff != "" || len(d.Mails) != 1 {
		t.Errorf("%d mails, skipped (-want +got):\n%s", len(d.Mails), diff)
	}
}

func TestWrittenInAnEarlierCase(t *testing.T) {
	earlier, _ := mustDraft(t, []*casefile.Group{pair("a", "ada@example.com"), pair("b", "bo@example.com"), pair("c", "cy@example.com"), pair("d", "dee@example.com")})
	outcomes := []Outcome{{State: Accepted}, {State: Unknown, Reason: "no answer"}, {State: Failed, Reason: "refused"}}
	if _, _, err := run(earlier, &scripted{outcomes: outcomes}, SendOptions{Limit: 3}); err != nil {
		t.Fatal(err)
	}
	groups := []*casefile.Group{pair("e", "ADA@example.com"), pair("f", "bo@example.com"), pair("g", "cy@example.com"), pair("h", "dee@example.com"), pair("i", "eve@example.com")}
	opened, d := draftWith(t, groups, nil, func(o *Options) { o.Also = []string{earlier.Dir, earlier.Dir} })
	if diff := cmp.Diff(map[int]SkipReason{1: AlreadyWritten, 2: AlreadyWritten}, skippedOf(d)); diff != "" || len(d.Mails) != 3 || len(d.Also) != 1 {
		t.Errorf("%d mails, %v, skipped (-want +got):\n%s", len(d.Mails), d.Also, diff)
	}
	if !strings.Contains(d.Skipped[0].Detail, "in case "+earlier.ID+" on 20") {
		t.Errorf("the detail is %q", d.Skipped[0].Detail)
	}
	// The earlier case goes on sending between draft and send.
	if _, _, err := run(earlier, &scripted{}, SendOptions{Only: "dee@example.com"}); err != nil {
		t.Fatal(err)
	}
	sent, _, err := run(opened, &scripted{}, SendOptions{})
	if err != nil || sent.Accepted != 2 || sent.Suppressed != 1 {
		t.Errorf("got %+v, %v", sent, err)
	}
	expectStates(t, opened, Accepted, Suppressed, Accepted)
	elsewhere := *opened
	if err := moveAway(t, earlier.Dir); err != nil {
		t.Fatal(err)
	}
	_, _, err = run(&elsewhere, &scripted{}, SendOptions{})
	expectProblem(t, "the earlier case is gone", err, casefile.CodeNotFound)
	options := testOptions()
	options.Also = []string{t.TempDir()}
	_, err = Draft(t.Context(), opened, groups, keepFirst(groups), options)
	expectProblem(t, "no case", err, casefile.CodeNotFound)
}

// TestDraftAgainForTheRest is a case whose clean-up came in two steps: who was
// written to in between is not written to again, and is not forgotten.
func TestDraftAgainForTheRest(t *testing.T) {
	groups := []*casefile.Group{pair("a", "ada@example.com"), pair("b", "bo@example.com"), pair("c", "ada@example.com"), pair("d", "cy@example.com")}
	opened := makeCase(t, groups)
	choices := keepFirst(groups)
	choices[0].Cleanup, choices[2].Cleanup, choices[3].Cleanup = templates.CopiesRemoved, templates.CopiesPlanned, templates.CopiesPlanned
	first, err := Draft(t.Context(), opened, groups, choices, testOptions())
	if err != nil || len(first.Mails) != 2 {
		t.Fatalf("got %+v, %v", first, err)
	}
	carrier := &scripted{}
	if _, _, err := run(opened, carrier, SendOptions{Limit: 1}); err != nil {
		t.Fatal(err)
	}
	kept := read(t, opened.Dir, DraftsName, first.Mails[0].File)
	choices[2].Cleanup, choices[3].Cleanup = templates.CopiesRemoved, templates.CopiesRemoved
	second, err := Draft(t.Context(), opened, groups, choices, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[int]SkipReason{3: AlreadyWritten}, skippedOf(second)); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	if got := read(t, opened.Dir, DraftsName, second.Mails[0].File); got != kept || second.Mails[0].To != "ada@example.com" {
		t.Errorf("the mail that was sent is no longer as it was")
	}
	if _, _, err := run(opened, carrier, SendOptions{}); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, m := range carrier.sent {
		got[m.To.Address]++
	}
	if diff := cmp.Diff(map[string]int{"ada@example.com": 1, "bo@example.com": 1, "cy@example.com": 1}, got); diff != "" {
		t.Errorf("mails by address (-want +got):\n%s", diff)
	}
	expectStates(t, opened, Accepted, Accepted, Accepted)
	support := read(t, opened.Dir, DraftsName, SupportName)
	for _, address := range slices.Sorted(maps.Keys(got)) {
		if strings.Count(support, address) != 1 {
			t.Errorf("the help desk's list has %s not once:\n%s", address, support)
		}
	}
	files, err := filepath.Glob(filepath.Join(opened.Dir, DraftsName, "*.eml"))
	if err != nil || len(files) != 3 {
		t.Errorf("the drafts are %v: %v", files, err)
	}
}
