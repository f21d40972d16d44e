package apply

import (
	"testing"

	"twinrow/remediate/plan"
)

// TestReadOnlyByDefault: a role or database whose transactions are read-only
// unless they say otherwise is no reason to fail, in apply or in the files.
func TestReadOnlyByDefault(t *testing.T) {
	t.Parallel()
	s := databases[slicesIndex("postgres", "tickets")].make(t)
	psql(t, s.where, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$;")
	s.apply()
	wantOK(t, s.verify())
	s.mustRun("sql/50_verify.sql")
	s.undo()
	s.mustRun("sql/20_clean_and_index.sql")
	wantOK(t, s.verify())
	s.mustRun("sql/20_clean_and_index_undo.sql")
	if check := s.verify().Checks[0]; check.OK || check.Detail != plan.Count(2, "key")+" have several rows" {
		t.Errorf("%+v", check)
	}
}
