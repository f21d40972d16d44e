package apply

import (
	"errors"
	"strings"
	"testing"

	"twinrow/detect/source"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
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

// TestOnlineFollowsItself: rows that stay refer to rows of the same table that
// go, in batches of one group, where a survivor is changed before or after its
// own group's turn.
func TestOnlineFollowsItself(t *testing.T) {
	tree := database{engine: "postgres", script: `CREATE TABLE t (id int PRIMARY KEY, k text, n int, parent int REFERENCES t ON DELETE CASCADE, root int REFERENCES t);
INSERT INTO t VALUES (1, 'a', 1, NULL, NULL), (2, 'a', 2, 1, NULL), (3, 'b', 3, 2, NULL), (4, 'b', 4, 3, 4), (5, 'c', 5, 4, 2), (6, 'c', NULL, 1, NULL), (7, 'd', 7, 2, 4), (8, 'e', 8, 6, 6);
UPDATE t SET parent = 6 WHERE id = 1; UPDATE t SET parent = 2, root = 4 WHERE id = 8;`,
		request: source.Request{Table: "t", Key: []string{"k"}, Ignore: []string{"parent", "root"}},
		options: plan.Options{Rules: map[string]plan.Rules{"t": {Differing: plan.Merge, Merge: []plan.ColumnRule{{Column: "n", Rule: "sum"}}}}}}
	s := tree.online(t)
	before := s.dump()
	for range 2 {
		if _, err := s.try(Options{Batch: 1}); err != nil {
			t.Fatal(full(err))
		}
		wantOK(t, s.verify())
	}
	if got := s.text("SELECT string_agg(concat_ws(' ', id, n, parent, root), ', ' ORDER BY id) FROM t"); got != "1 3 5, 3 7 1, 5 5 3 1, 7 7 1 3, 8 8 1 3" {
		t.Error(got)
	}
	s.undo()
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Errorf("undo is not exact: %s", diff)
	}
	for _, file := range []string{"sql/20_clean.sql", "sql/20_clean.sql", "sql/50_verify.sql", "sql/20_clean_undo.sql"} {
		if out, err := s.client(s.file(file)); err != nil && !strings.Contains(file, "verify") {
			t.Fatalf("%s: %v: %s", file, err, out)
		}
	}
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Errorf("the files' way back is not exact: %s", diff)
	}
}

// TestOnlineCannotTakeApartWhatGoesTogether: rows that go refer to rows of
// other groups that go, or go because they refer.
func TestOnlineCannotTakeApartWhatGoesTogether(t *testing.T) {
	for want, c := range map[string]struct {
		rows  string
		rules []plan.ReferenceRule
	}{
		"rows of public.t that go refer to others that go (t_parent_fkey)":                              {"(1, 'a', NULL), (2, 'a', NULL), (3, 'b', 1), (4, 'b', 2)", nil},
		"rows of public.t itself that refer to rows that go are to be deleted (t_parent_fkey): what is": {"(1, 'a', NULL), (2, 'a', NULL), (3, 'b', 2)", []plan.ReferenceRule{{Table: "t", Columns: []string{"parent"}, Action: plan.DeleteRow}}},
	} {
		d := database{engine: "postgres", script: `CREATE TABLE t (id int PRIMARY KEY, k text, parent int REFERENCES t); INSERT INTO t VALUES ` + c.rows,
			request: source.Request{Table: "t", Key: []string{"k"}, Ignore: []string{"parent"}}, options: plan.Options{Rules: map[string]plan.Rules{"t": {References: c.rules}}}}
		s := d.make(t)
		d.options.Strategy = plan.Online
		_, err := tryPlan(t, s.where, s.opened, d.options)
		wantCode(t, err, plan.CodeUnsupported, want)
		if p, ok := errors.AsType[*plan.Problem](err); !ok || !strings.Contains(p.Hint, "--strategy atomic") {
			t.Error(full(err))
		}
	}
}
