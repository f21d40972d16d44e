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
