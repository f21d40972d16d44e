package apply

import (
	"strings"
	"testing"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
	"twinrow/remediate/plan"
)

// meanwhile runs a plan in batches of one group and something else after the first.
func (s *story) meanwhile(sql string) (*Result, error) {
	s.t.Helper()
	done := false
	return s.try(Options{Batch: 1, Progress: afterRows{func() {
		if !done {
			done = true
			s.run(sql)
		}
	}}})
}

// referringOnline is one of referring, cleaned online.
func referringOnline(t *testing.T, name string) *story {
	t.Helper()
	s := referringNamed(t, name).online(t)
	if s.plan.Tables[0].Strategy != plan.Online || !s.plan.Tables[0].ChangesRows() {
		t.Fatalf("%+v", s.plan.Tables[0].Operations)
	}
	return s
}

// TestLateChildrenLeaveTheirGroupAlone: a row that came to refer by a foreign
// key to one that was to go in a batch to come.
func TestLateChildrenLeaveTheirGroupAlone(t *testing.T) {
	s := referringOnline(t, "referred to, a trigger stamps")
	result, err := s.meanwhile("INSERT INTO scans VALUES (5, 110);")
	wantCode(t, err, plan.CodeStopped, "referred to differently")
	if got := result.Tables[0]; got.Groups != 1 || len(got.Drifted) != 1 || got.Drifted[0].Group != 2 {
		t.Errorf("%+v", got)
	}
	s.run("DELETE FROM scans WHERE id = 5;")
	s.apply()
	wantOK(t, s.verify())
	s.undo()
}

// TestLateRowsWithoutAConstraintAreTold: nothing keeps them from naming a row
// that is gone, in a column or in an array.
func TestLateRowsWithoutAConstraintAreTold(t *testing.T) {
	for i, insert := range []string{"INSERT INTO comments VALUES (9, 'ticket', '107'), (10, 'order', '107');", "INSERT INTO playlists VALUES (30, '{104,107}');"} {
		s := []func() *story{func() *story { return referringOnline(t, "referred to, deleted and set null") }, func() *story { return inArrays[0].online(t) }}[i]()
		result, err := s.meanwhile(insert)
		if err != nil {
			t.Fatal(full(err))
		}
		if late := result.Tables[0].Late; len(late) != 1 || late[0].Rows != 1 {
			t.Errorf("%s: %+v", insert, late)
		}
		if s.verify().OK() {
			t.Errorf("%s: verify does not see it", insert)
		}
	}
}

// TestRefusedGroupsAreLeftAlone: a constraint of a table that refers to the rows
// forbids what a group needs. The batch is done without it.
func TestRefusedGroupsAreLeftAlone(t *testing.T) {
	d := referringNamed(t, "referred to, collisions dropped")
	d.script += "ALTER TABLE tags ADD CHECK (ticket_id <> 108);"
	s := d.online(t)
	before := s.dump()
	result, err := s.try(Options{})
	wantCode(t, err, plan.CodeStopped, stateRefused)
	if got := result.Tables[0]; got.Groups != 1 || len(got.Drifted) != 1 || got.Drifted[0].Group != 2 {
		t.Errorf("%+v", got)
	}
	s.undo()
	if now := s.dump(); now != before {
		t.Error("not as it was")
	}
}

// TestOnlineCannotFollowItself: rows of the table may go in other batches than
// those that they refer to.
func TestOnlineCannotFollowItself(t *testing.T) {
	s := database{engine: "postgres", script: `CREATE TABLE t (id int PRIMARY KEY, k text, parent int REFERENCES t); INSERT INTO t VALUES (1, 'a', NULL), (2, 'a', NULL), (3, 'b', 2);`,
		request: source.Request{Table: "t", Key: []string{"k"}, Ignore: []string{"parent"}}}.make(t)
	if table := s.plan.Tables[0]; table.Strategy != plan.Atomic || !strings.Contains(table.StrategyReason, "one transaction") {
		t.Errorf("%s: %s", table.Strategy, table.StrategyReason)
	}
	_, err := plan.Make(s.opened, plan.Options{Strategy: plan.Online, Choose: func(*plan.CaseTable, *casefile.Group) (plan.Fields, []plan.Fields, string, error) {
		return plan.Fields{{Name: "id", Value: new("1")}}, []plan.Fields{{{Name: "id", Value: new("2")}}}, "the first", nil
	}})
	wantCode(t, err, plan.CodeUnsupported, "rows of public.t itself refer to rows that go")
}
