package plan

import (
	"strings"
	"testing"

	"twinrow/detect/casefile"

	"github.com/google/go-cmp/cmp"
)

func TestStrategyIsChosenBySizeAndToldWhy(t *testing.T) {
	for _, c := range []struct {
		asked, engine string
		rows          int64
		want, why     string
	}{
		{"", "postgres", longLock - 1, Atomic, "one transaction"},
		{"", "postgres", longLock, Online, "100000 rows are too many to keep writers out of"},
		{Auto, "sqlite", longLock, Atomic, "one transaction"},
		{Atomic, "postgres", longLock, Atomic, "asked for"},
		{Online, "postgres", 3, Online, "asked for"},
		{Auto, "d1", longLock, Atomic, "no transactions"},
	} {
		var table Table
		if err := table.choose(c.engine, &casefile.Table{ScannedRows: c.rows}, c.asked); err != nil {
			t.Fatal(err)
		}
		if table.Strategy != c.want || !strings.Contains(table.StrategyReason, c.why) {
			t.Errorf("%+v: %s, because %s", c, table.Strategy, table.StrategyReason)
		}
	}
	for _, c := range []struct {
		child, action string
		inward        bool
		want          string
	}{{"scans", Repoint, false, Online}, {"t", Repoint, false, Online}, {"t", Repoint, true, Atomic}, {"t", DeleteRow, false, Atomic}} {
		table := Table{Table: "t", Inward: c.inward, References: []Reference{{Table: c.child, Action: c.action, Rows: 1}}}
		if err := table.choose("postgres", &casefile.Table{ScannedRows: longLock}, Auto); err != nil {
			t.Fatal(err)
		}
		if table.Strategy != c.want || !strings.Contains(table.StrategyReason, "refer to") {
			t.Errorf("%+v: %s, because %s", c, table.Strategy, table.StrategyReason)
		}
	}
	var table Table
	wantCode(t, table.choose("sqlite", &casefile.Table{}, Online), CodeUnsupported)
}

func TestAFenceStandsAroundAnOnlineCleanUpWithAnIndex(t *testing.T) {
	o := options
	o.Strategy, o.Differing = Online, KeepSurvivor
	p, err := Make(tickets(t, nil), o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{OpFence, OpQuarantine, OpDelete, OpUniqueIndex, OpUnfence}, ops(p)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Hazard{DeletesRows, DifferingRows, BuildsIndex}, p.Hazards); diff != "" {
		t.Error(diff)
	}
	o.Differing = Hold
	if p, err = Make(tickets(t, nil), o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{OpQuarantine, OpDelete}, ops(p)); diff != "" {
		t.Error(diff)
	}
	o.Strategy = "brave"
	_, err = Make(tickets(t, nil), o)
	wantCode(t, err, CodeUsage)
}
