package apply

import (
	"testing"

	"twinrow/remediate/plan"
)

// ticketsBy is the tickets' table with a rule for its index.
func ticketsBy(t *testing.T, strategy, more string, rule plan.IndexRule) *story {
	t.Helper()
	d := databases[slicesIndex("postgres", "tickets")]
	d.script += more
	d.options = plan.Options{Strategy: strategy, Rules: map[string]plan.Rules{"tickets": {Index: rule}}}
	return d.make(t)
}

func TestConstraintStandsOnTheIndex(t *testing.T) {
	for _, strategy := range []string{plan.Atomic, plan.Online} {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			s := ticketsBy(t, strategy, "", plan.IndexRule{Name: "One ticket", Constraint: true})
			s.apply()
			const unique = "SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'tickets'::regclass AND contype = 'u'"
			if got := s.text(unique); got != "One ticket UNIQUE (payment, number)" {
				t.Errorf("the constraints are %q", got)
			}
			// Verify sees an index of that name on which none stands.
			s.run(`ALTER TABLE tickets DROP CONSTRAINT "One ticket"; CREATE UNIQUE INDEX "One ticket" ON tickets (payment, number);`)
			if s.verify().OK() {
				t.Error("verify is content with an index without the constraint")
			}
			s.run(`DROP INDEX "One ticket";`)
			s.undo()
			if got := s.text(unique); got != "" {
				t.Errorf("an undo leaves %q", got)
			}
		})
	}
}

func TestReplacedIndexGoesAfterTheNewOneStands(t *testing.T) {
	for _, strategy := range []string{plan.Atomic, plan.Online} {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			s := ticketsBy(t, strategy, "CREATE INDEX old_idx ON tickets (payment);", plan.IndexRule{Replaces: "old_idx"})
			const there = "SELECT to_regclass('old_idx') IS NOT NULL"
			s.apply()
			wantOK(t, s.verify())
			if s.text(there) != "f" {
				t.Error("the old index is still there")
			}
			s.undo()
			if s.text(there) != "t" {
				t.Error("the old index did not come back")
			}
			s.run("DROP INDEX old_idx; CREATE INDEX old_idx ON tickets (email);")
			err := unchanged(t, s, func() error { _, err := s.try(Options{}); return err })
			wantCode(t, err, plan.CodeDrift, "old_idx, which the new index is to replace, is gone or is not as the scan found it")
			files := map[string]string{plan.Atomic: "sql/20_clean_and_index.sql", plan.Online: "sql/30_index.sql"}
			if strategy == plan.Atomic {
				_ = unchanged(t, s, func() error { _, err := s.client(s.file(files[strategy])); return err })
			}
			s.run("DROP INDEX old_idx; CREATE INDEX old_idx ON tickets (payment);")
			s.apply()
			// What a run that was interrupted left of either is taken up again.
			if strategy == plan.Online {
				s.run("CREATE INDEX old_idx ON tickets (payment); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'old_idx'::regclass;")
				if again := s.apply(); again.Already || s.text(there) != "f" {
					t.Errorf("%+v", again)
				}
				s.run("CREATE INDEX old_idx ON tickets (payment); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'old_idx'::regclass;")
			}
			s.undo()
			s.apply()
			s.run("DROP INDEX tickets_payment_number_key;")
			err = unchanged(t, s, func() error { _, err := s.tryUndo(); return err })
			wantCode(t, err, plan.CodeDrift, "nor old_idx, which it replaced, is there")
			s.run("CREATE INDEX old_idx ON tickets (payment);")
			s.undo()
			if got := s.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('old_idx')"); got != "t" {
				t.Errorf("the old index came back as %q", got)
			}
		})
	}
}

func TestIndexOnFewerColumns(t *testing.T) {
	for _, d := range []struct{ engine, strategy string }{{"postgres", plan.Atomic}, {"postgres", plan.Online}, {"sqlite", plan.Atomic}} {
		t.Run(d.engine+" "+d.strategy, func(t *testing.T) {
			t.Parallel()
			shop := databases[slicesIndex(d.engine, "tickets")]
			shop.options = plan.Options{Strategy: d.strategy, Rules: map[string]plan.Rules{"tickets": {Index: plan.IndexRule{Columns: []string{"payment"}}}}}
			s := shop.make(t)
			before := s.dump()
			_, err := s.try(Options{}) // 104 and 105 are two tickets of one payment
			wantCode(t, err, plan.CodeStopped, "rows that the case did not look for are the same under it")
			if d.strategy == plan.Online {
				s.undo()
			}
			if s.dump() != before {
				t.Error("something is left of it")
			}
			s.run("DELETE FROM tickets WHERE id = 105;")
			before = s.dump()
			s.apply()
			wantOK(t, s.verify())
			s.undo()
			if s.dump() != before {
				t.Error("undo is not exact")
			}
		})
	}
}
