package apply

import (
	"testing"

	"twinrow/detect/source"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

func TestHeldGroups(t *testing.T) {
	both(t, "UPDATE tickets SET email = 'other@example.com' WHERE id = 107;", func(t *testing.T, s *story) {
		before := s.dump()
		result := s.apply()
		if result.Tables[0].Held != 1 || result.Tables[0].Rows != 2 || result.Tables[0].Index != "" {
			t.Errorf("%+v", result)
		}
		report := s.verify()
		if c := report.Checks[0]; c.OK || c.Detail != "1 key has several rows: 1 held back by the plan, 0 missed or new" {
			t.Errorf("%+v", c)
		}
		s.run("INSERT INTO tickets SELECT 1000, payment, number, email, created_at FROM tickets WHERE id = 105;")
		if c := s.verify().Checks[0]; c.OK || c.Detail != "2 keys have several rows: 1 held back by the plan, 1 missed or new" {
			t.Errorf("%+v", c)
		}
		s.run("DELETE FROM tickets WHERE id = 1000;")
		s.undo()
		if diff := cmp.Diff(before, s.dump()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEveryGroupHeld(t *testing.T) {
	both(t, "UPDATE tickets SET email = 'other@example.com' WHERE id IN (107, 109);", func(t *testing.T, s *story) {
		wantCode(t, unchanged(t, s, s.tryApply), plan.CodeRefused, "every group (2) is held back")
	})
}

func TestSeveralTables(t *testing.T) {
	both(t, "CREATE TABLE seats (id int PRIMARY KEY, seat text); INSERT INTO seats VALUES (1,'A1'),(2,'A1'),(3,'B1');", func(t *testing.T, s *story) {
		two := scanned(t, s.engine, s.where, plan.Options{}, ticketsRequest, source.Request{Table: "seats", Key: []string{"seat"}})
		before := two.dump()
		two.kill("apply", "after commit")
		result := patiently(t, func() (*Result, error) { return two.try(Options{}) })
		if len(result.Tables) != 2 || !result.Tables[0].Already || result.Tables[1].Rows != 1 {
			t.Errorf("%+v", result)
		}
		wantOK(t, two.verify())
		two.undo()
		if diff := cmp.Diff(before, two.dump()); diff != "" {
			t.Fatal(diff)
		}
		two.mustRun("sql/20_clean_and_index.sql")
		two.mustRun("sql/50_verify.sql")
		two.mustRun("sql/20_clean_and_index_undo.sql")
		if diff := cmp.Diff(before, two.dump()); diff != "" {
			t.Fatal(diff)
		}
	})
}
