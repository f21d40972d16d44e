package apply

import (
	"os/exec"
	"strings"
	"testing"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

func TestDriftedGroupsAreLeft(t *testing.T) {
	changes := map[string]string{
		"changed": "UPDATE tickets SET email = 'x@example.com' WHERE id = 107;",
		"gone":    "DELETE FROM tickets WHERE id = 106;",
	}
	both(t, "", func(t *testing.T, s *story) {
		for state, change := range changes {
			before := s.dump()
			s.run(change)
			drifted := s.dump()
			result, err := s.try(Options{})
			wantCode(t, err, plan.CodeStopped, "stopped before the index: 1 group was left alone, because it is no longer")
			if !strings.Contains(err.Error(), "is "+state) || result.Tables[0].Rows != 2 || result.Tables[0].Index != "" || len(result.Tables[0].Drifted) != 1 {
				t.Errorf("%s: %+v %v", state, result, err)
			}
			out, _ := s.client("SELECT id FROM tickets ORDER BY id;")
			if strings.Contains(out, "109") || !strings.Contains(out, "107") {
				t.Errorf("left are %q", out)
			}
			if _, err := s.try(Options{}); err == nil {
				t.Error("a second run did not stop")
			}
			if report := s.verify(); report.OK() {
				t.Error("verify holds over drift")
			}
			s.undo()
			if diff := cmp.Diff(drifted, s.dump()); diff != "" {
				t.Fatal(diff)
			}
			s.run("DELETE FROM tickets WHERE id IN (106, 107); INSERT INTO tickets VALUES (106,'pi_2',1,'b@example.com','2025-12-24 03:20:37.914'),(107,'pi_2',1,'b@example.com','2025-12-24 03:20:37.993');")
			if diff := cmp.Diff(before, s.dump()); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestFilesRefuseDrift(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		s.run("UPDATE tickets SET email = 'x@example.com' WHERE id = 107;")
		err := unchanged(t, s, func() error {
			out, err := s.client(s.file("sql/20_clean_and_index.sql"))
			if !strings.Contains(out, "nothing was changed") {
				t.Errorf("the file says %q", out)
			}
			return err
		})
		if err == nil {
			t.Error("the file ran over drift")
		}
	})
}

// TestABareShellLeavesNothing: without a transaction, and by a client that goes
// on after an error, a file for D1 that refuses leaves nothing behind.
func TestABareShellLeavesNothing(t *testing.T) {
	t.Parallel()
	s := databases[slicesIndex("d1", "tickets")].make(t)
	s.run("UPDATE tickets SET email = 'x@example.com' WHERE id = 107;")
	err := unchanged(t, s, func() error {
		cmd := exec.Command("sqlite3", s.where)
		cmd.Stdin = strings.NewReader(s.file("sql/20_clean_and_index.sql"))
		out, err := cmd.CombinedOutput()
		if !strings.Contains(string(out), "a row is no longer as the evidence has it; nothing was changed") {
			t.Errorf("the file says %s", out)
		}
		return err
	})
	if err == nil {
		t.Error("the file ran over drift")
	}
}

func TestNewDuplicates(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		s.run("INSERT INTO tickets SELECT id + 1000, payment, number, email, created_at FROM tickets WHERE id IN (105, 106);")
		err := unchanged(t, s, func() error { _, err := s.client(s.file("sql/20_clean_and_index.sql")); return err })
		if err == nil {
			t.Error("the file ran over new duplicates")
		}
		before := s.dump()
		result, err := s.try(Options{})
		wantCode(t, err, plan.CodeStopped, "new duplicates of 2 keys arrived since the scan")
		if result == nil || result.Tables[0].Rows == 0 || result.Tables[0].Index != "" {
			t.Fatalf("the rest was not cleaned, or an index was built: %+v", result)
		}
		s.undo()
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Errorf("undo left a difference: %s", diff)
		}
	})
}

func TestOtherDatabases(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		other := *s
		if s.engine == "postgres" {
			other.where = pgserver.Database(t)
			psql(t, other.where, postgresTickets)
			wantCode(t, unchanged(t, &other, other.tryApply), plan.CodeDrift, "is not the one that was scanned")
		} else {
			other.where = sqliteFile(t, "CREATE TABLE tickets (id INTEGER PRIMARY KEY, payment TEXT, number INT, email TEXT, created_at TEXT); INSERT INTO tickets VALUES (1,'x',1,'y','z');")
			wantCode(t, unchanged(t, &other, other.tryApply), plan.CodeDrift, "is not the file that was scanned")
		}
		s.run("DELETE FROM tickets;")
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeDrift, "none of the case's rows")
		s.run("ALTER TABLE tickets ADD extra int;")
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeDrift, "the column extra is new")
		s.run("DROP TABLE tickets;")
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeDrift, "there is no table")
	})
}

func TestUndoWhenThePlaceIsTaken(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		s.apply()
		s.run("INSERT INTO tickets VALUES (109, 'pi_9', 1, 'z@example.com', '2026-01-01');")
		undo := func() error { _, err := s.tryUndo(); return err }
		wantCode(t, unchanged(t, s, undo), plan.CodeDrift, "a row cannot come back")
		if err := unchanged(t, s, func() error { _, err := s.client(s.file("sql/20_clean_and_index_undo.sql")); return err }); err == nil {
			t.Error("the file put a row into a taken place")
		}
		s.run("DELETE FROM tickets WHERE id = 109;")
		s.undo()
	})
}

// TestUndoWhenARowidIsTaken: SQLite gives the rowid of a last row that went to
// the next one that comes. Where the id is another column, that is in nobody's
// way; child rows have the same trouble.
func TestUndoWhenARowidIsTaken(t *testing.T) {
	const script = `CREATE TABLE docs (id TEXT PRIMARY KEY, k TEXT); INSERT INTO docs VALUES ('a','1'),('b','2'),('y','2'),('z','1');
CREATE TABLE notes (id TEXT PRIMARY KEY, doc REFERENCES docs, tag TEXT, UNIQUE (doc, tag)); INSERT INTO notes VALUES ('a1','a','x'),('b1','b','x'),('z1','z','x'),('y1','y','x');`
	for way, undo := range map[string]func(s *story){
		"undo": func(s *story) { s.undo() },
		"file": func(s *story) { s.mustRun("sql/20_clean_and_index_undo.sql") },
	} {
		t.Run(way, func(t *testing.T) {
			s := database{engine: "sqlite", script: script, request: source.Request{Table: "docs", Key: []string{"k"}, References: []source.Declared{{Table: "notes", Columns: []string{"doc"}, Deletes: true}}},
				options: plan.Options{Rules: map[string]plan.Rules{"docs": {References: []plan.ReferenceRule{{Table: "notes", Columns: []string{"doc"}, Action: plan.DeleteRow}}}}}}.make(t)
			rows := func() string {
				out, err := s.client("SELECT * FROM docs ORDER BY 1; SELECT * FROM notes ORDER BY 1;")
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			before := rows()
			s.apply()
			s.run("INSERT INTO docs VALUES ('new','3'),('new 2','4'); INSERT INTO notes VALUES ('n1','a','y'),('n2','a','z');")
			undo(s)
			s.run("DELETE FROM notes WHERE id LIKE 'n%'; DELETE FROM docs WHERE id LIKE 'new%';")
			if diff := cmp.Diff(before, rows()); diff != "" {
				t.Errorf("rows differ: %s", diff)
			}
		})
	}
}

// TestUndoAfterVacuum: it gives the rowids of a table without a key to other
// rows, which must not be taken for those that were changed.
func TestUndoAfterVacuum(t *testing.T) {
	s := database{engine: "sqlite", script: `CREATE TABLE docs (id INTEGER PRIMARY KEY, k TEXT); INSERT INTO docs VALUES (1,'1'),(2,'1');
CREATE TABLE notes (tag TEXT, doc REFERENCES docs); INSERT INTO notes VALUES ('gone',1),('a',2),('b',1),('c',1); DELETE FROM notes WHERE tag = 'gone';`,
		request: source.Request{Table: "docs", Key: []string{"k"}}}.make(t)
	s.apply()
	s.run("VACUUM;")
	wantCode(t, unchanged(t, s, func() error { _, err := s.tryUndo(); return err }), plan.CodeDrift, "cannot be put back")
	if err := unchanged(t, s, func() error { _, err := s.client(s.file("sql/20_clean_and_index_undo.sql")); return err }); err == nil {
		t.Error("the file took other rows for those that were changed")
	}
}

// TestTheFileRefusesADamagedQuarantine: a row that is lost from it would be
// lost for good by a way back that counts only what is left.
func TestTheFileRefusesADamagedQuarantine(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		before := s.dump()
		s.mustRun("sql/20_clean_and_index.sql")
		quarantine, row := plan.QuarantineTable(s.engine, s.opened.Tables[0].Table, s.opened.ID), "row_no"
		if s.engine != "postgres" {
			row = "twinrow_row"
		}
		s.run("CREATE TABLE kept AS SELECT * FROM " + quarantine + " WHERE " + row + " = 2; DELETE FROM " + quarantine + " WHERE " + row + " = 2;")
		undo := func() error { _, err := s.client(s.file("sql/20_clean_and_index_undo.sql")); return err }
		if unchanged(t, s, undo) == nil {
			t.Error("the file ran over a damaged quarantine")
		}
		s.run("INSERT INTO " + quarantine + " SELECT * FROM kept; DROP TABLE kept;")
		for range 2 {
			s.mustRun("sql/20_clean_and_index_undo.sql")
		}
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestUndoOfAnEmptiedQuarantine(t *testing.T) {
	both(t, "", func(t *testing.T, s *story) {
		s.apply()
		s.run("DELETE FROM " + plan.QuarantineTable(s.engine, s.opened.Tables[0].Table, s.opened.ID) + ";")
		wantCode(t, unchanged(t, s, func() error { _, err := s.tryUndo(); return err }), plan.CodeDrift, "holds 0 of the 3 rows")
		if result := s.apply(); !result.Already {
			t.Errorf("%+v", result)
		}
		if report := s.verify(); report.OK() {
			t.Error("verify holds over an empty quarantine")
		}
	})
}
