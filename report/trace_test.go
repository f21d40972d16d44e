package report_test

import (
	stdjson "encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"twinrow/report"
	"twinrow/report/internal/fixture"
)

// tree is case.json as any reader of JSON sees it.
func tree(t *testing.T, document any) any {
	t.Helper()
	raw, err := stdjson.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	var root any
	if err := stdjson.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	return root
}

// find follows a path such as tables[0].totals.rows.
func find(node any, path string) bool {
	for _, step := range regexp.MustCompile(`[^.\[\]]+`).FindAllString(path, -1) {
		if at, err := strconv.Atoi(step); err == nil {
			items, ok := node.([]any)
			if !ok || at >= len(items) {
				return false
			}
			node = items[at]
			continue
		}
		members, ok := node.(map[string]any)
		if !ok {
			return false
		}
		if node, ok = members[step]; !ok {
			return false
		}
	}
	return true
}

func TestEveryAnswerNamesFieldsThatTheCaseHas(t *testing.T) {
	opened, groups := fixture.FactsCase()
	opened.Tables[0].UniqueBy = []string{"tickets_key"}
	opened.Tables[0].Impact.AmountUnread = 1
	doc, err := report.Build(opened, groups, report.Extras{})
	if err != nil {
		t.Fatal(err)
	}
	root := tree(t, opened.Case)
	questions := map[string]bool{}
	for _, a := range doc.Tables[0].Answers {
		questions[a.Question] = true
		if len(a.From) == 0 || len(a.Sentences) == 0 {
			t.Errorf("%s: %q is from %q", a.Question, a.Sentences, a.From)
		}
		for _, from := range a.From {
			path, ok := strings.CutPrefix(from, "case.json: ")
			if !ok || !find(root, path) {
				t.Errorf("%s: the case has no %q", a.Question, from)
			}
		}
	}
	for _, question := range []string{report.WhatHappened, report.SinceWhen, report.StillGoingOn, report.WhoAffected, report.HowSure} {
		if !questions[question] {
			t.Errorf("%q is not answered", question)
		}
	}
	for _, e := range doc.Timeline {
		if path, ok := strings.CutPrefix(e.From, "case.json: "); ok && !find(root, path) {
			t.Errorf("%q: the case has no %q", e.Text, e.From)
		}
	}
}

func TestWhatIsAbsentIsLeftOut(t *testing.T) {
	for _, a := range fixture.Document().Tables[0].Answers {
		if a.Question == report.StillGoingOn || a.Question == report.HowSure {
			t.Errorf("the case does not tell, but %q is answered by %q", a.Question, a.Text())
		}
	}
}
