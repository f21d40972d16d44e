package apply

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

// lite finds a shape by its name and engine.
func lite(t *testing.T, engine, name string) database {
	t.Helper()
	i := slices.IndexFunc(referringLite, func(d database) bool { return d.engine == engine && d.name == name })
	if i < 0 {
		t.Fatalf("no database %s of %s", name, engine)
	}
	return referringLite[i]
}

// onLite runs a test over a shape of SQLite and of D1.
func onLite(t *testing.T, name, more string, test func(t *testing.T, s *story)) {
	for _, engine := range []string{"sqlite", "d1"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			d := lite(t, engine, name)
			d.script += more
			test(t, d.make(t))
		})
	}
}

// TestValuesAfterMergingInSQLite: by SQLite's own sums and orders.
func TestValuesAfterMergingInSQLite(t *testing.T) {
	for name, want := range map[string]string{
		"referred to, collisions merged": "106|x|3.5|2025-01-02|0|b|7|7\n108|w|3||||3|4\n108|z|3||1|c, d|1|-1\n",
		"merged":                         "1|a|3.5|2025-01-03|two|x, y|1|2\n4|b|2||four|z||1\n",
	} {
		onLite(t, name, "", func(t *testing.T, s *story) {
			s.apply()
			table := map[bool]string{true: "counters", false: "tallies"}[name == "merged"]
			if diff := cmp.Diff(want, shell(t, s.where, "SELECT * FROM "+table+" ORDER BY 1, 2;")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		})
	}
}

// TestLateReferencesInSQLite: what came to refer to a row since the scan leaves
// its group alone, and the others are cleaned; the file refuses, and leaves
// nothing even where its client goes on after an error.
func TestLateReferencesInSQLite(t *testing.T) {
	for late, sql := range map[string]string{
		"another row":         "INSERT INTO details VALUES (110, 'late');",
		"another foreign key": "CREATE TABLE late (id INTEGER PRIMARY KEY, t INTEGER REFERENCES tickets); INSERT INTO late VALUES (1, 110);",
		"a row gone":          "DELETE FROM details WHERE ticket_id = 109;",
	} {
		onLite(t, "referred to, one row for each", "", func(t *testing.T, s *story) {
			s.run(sql)
			if err := unchanged(t, s, func() error {
				cmd := exec.Command("sqlite3", s.where)
				cmd.Stdin = strings.NewReader(s.file("sql/20_clean_and_index.sql"))
				out, err := cmd.CombinedOutput()
				if !strings.Contains(string(out), "details refers to a row that is to go, and not as was foretold") && !strings.Contains(string(out), "foreign keys that the scan did not see refer to tickets") {
					t.Errorf("%s: the file says %s", late, out)
				}
				return err
			}); err == nil {
				t.Errorf("%s: the file ran", late)
			}
			result, err := s.try(Options{})
			wantCode(t, err, plan.CodeStopped, "referred to differently")
			if got := result.Tables[0]; got.Groups != 1 || got.Rows != 1 || len(got.Drifted) != 1 {
				t.Errorf("%s: %+v", late, got)
			}
			s.undo()
		})
	}
}

// TestHeldInSQLite: what cannot be foretold is held, by name.
func TestHeldInSQLite(t *testing.T) {
	for script, want := range map[string]string{
		"CREATE TABLE c (t INTEGER REFERENCES tickets, tag TEXT, UNIQUE (t, tag)); INSERT INTO c VALUES (106, 'x'), (107, 'x');":                                  "would collide under sqlite_autoindex_c_1",
		"CREATE TABLE c (t INTEGER REFERENCES tickets, tag TEXT); CREATE UNIQUE INDEX only_one ON c (tag) WHERE t > 9; INSERT INTO c VALUES (107, 'x');":          "what would collide under only_one of c, whose predicate or expressions hang on the columns that refer",
		"CREATE TABLE c (t INTEGER REFERENCES tickets, tag TEXT); CREATE UNIQUE INDEX one_tag ON c (t, lower(tag)); INSERT INTO c VALUES (106, 'x'), (107, 'X');": "1 row of c (t) would collide under one_tag once repointed",
		"CREATE TABLE c (t INTEGER REFERENCES tickets, n INT AS (t + 1)); CREATE TABLE d (m INT, t INT AS (m) REFERENCES tickets); INSERT INTO d VALUES (107);":   "the database computes that column itself",
	} {
		d := databases[slicesIndex("sqlite", "tickets")]
		d.script += script
		s := d.make(t)
		if held := s.plan.Tables[0].Held; len(held) != 1 || !strings.Contains(held[0].Reason, want) {
			t.Errorf("%s: %+v", script, held)
		}
	}
}

// TestNoNameToReferTo: the row that stays must have what others are to refer by.
func TestNoNameToReferTo(t *testing.T) {
	d := lite(t, "sqlite", "referred to by another column")
	d.script += "UPDATE people SET code = NULL WHERE id = 1; DELETE FROM cards WHERE n = 2;"
	s := d.make(t)
	if held := s.plan.Tables[0].Held; len(held) != 1 || !strings.Contains(held[0].Reason, "the row that stays has no code to refer to") {
		t.Errorf("%+v", held)
	}
}

// TestGrandchildrenLeaveTheirGroupAlone: rows under one that would be dropped
// would refer to nothing.
func TestGrandchildrenLeaveTheirGroupAlone(t *testing.T) {
	const under = "CREATE TABLE marks (id INTEGER PRIMARY KEY, ticket INT, tag TEXT, FOREIGN KEY (ticket, tag) REFERENCES tags ON DELETE CASCADE ON UPDATE CASCADE); INSERT INTO marks VALUES (1, 107, 'X');"
	onLite(t, "referred to, collisions dropped", under, func(t *testing.T, s *story) {
		if !strings.Contains(s.file("plan.json"), `"grandchildren"`) {
			t.Error("it is no hazard")
		}
		result, err := s.try(Options{})
		wantCode(t, err, plan.CodeStopped, "referred to differently")
		if got := result.Tables[0]; got.Groups != 1 || len(got.Drifted) != 1 {
			t.Errorf("%+v", got)
		}
		if left := shell(t, s.where, "SELECT ticket || tag FROM marks;"); left != "107X\n" {
			t.Error(left)
		}
	})
}

// TestUndoInSQLiteKeepsWhatOthersChangedSince: only what was changed here is
// taken back, and what is gone is missed.
func TestUndoInSQLiteKeepsWhatOthersChangedSince(t *testing.T) {
	onLite(t, "referred to, collisions dropped", "", func(t *testing.T, s *story) {
		s.apply()
		s.run("UPDATE tags SET at = '2030-01-01' WHERE tag = 'y';")
		s.undo()
		if got := shell(t, s.where, "SELECT * FROM tags WHERE tag = 'y';"); got != "107|y|2030-01-01\n" {
			t.Error(got)
		}
		s.apply()
		s.run("DELETE FROM tags WHERE tag = 'y';")
		wantCode(t, unchanged(t, s, func() error { _, err := s.tryUndo(); return err }), plan.CodeDrift, "cannot be put back")
		if out, err := s.client(s.file("sql/20_clean_and_index_undo.sql")); err == nil || !strings.Contains(out, "rows of tags were changed or removed since") {
			t.Errorf("the file took back what it could not: %v %s", err, out)
		}
	})
}

// TestTriggersOfChildrenInSQLite: they may stamp a row and add others, and
// nothing else.
func TestTriggersOfChildrenInSQLite(t *testing.T) {
	for body, want := range map[string]string{
		"UPDATE audit SET n = n + 1;":                          "changed 2 rows that the plan does not",
		"UPDATE details SET seat = 'z' WHERE ticket_id = 104;": "changed 2 rows that the plan does not",
		"DELETE FROM audit;":                                   "audit has -1 rows",
		"INSERT INTO audit VALUES (7);":                        "",
		"UPDATE details SET ticket_id = 105 WHERE ticket_id = new.ticket_id AND ticket_id = 106;": "did not come out as it was to",
	} {
		onLite(t, "referred to, one row for each", "CREATE TABLE audit (n INT); INSERT INTO audit VALUES (1); CREATE TRIGGER x AFTER UPDATE ON details BEGIN "+body+" END;", func(t *testing.T, s *story) {
			if want == "" {
				s.apply()
				if got := strings.Contains(strings.Join(s.plan.Tables[0].Notes, "\n"), "the way back refuses while details has triggers (x)"); got != (s.engine == "d1") {
					t.Errorf("the plan of %s says of the way back: %v", s.engine, s.plan.Tables[0].Notes)
				}
				return
			}
			wantCode(t, unchanged(t, s, s.tryApply), plan.CodeStopped, want)
		})
	}
}
