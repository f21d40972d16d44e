package apply

import (
	"os"
	"path/filepath"
	"testing"

	"twinrow/remediate/plan"
)

// TestAnotherFileIsRefused: a journal is about one file.
func TestAnotherFileIsRefused(t *testing.T) {
	s := databases[slicesIndex("sqlite", "tickets")].make(t)
	raw, err := os.ReadFile(s.where)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(other, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	s.where = other
	wantCode(t, unchanged(t, s, s.tryApply), plan.CodeDrift, "is not the file that was scanned")
}

// TestSQLiteFileRefusesANewColumn: its values would be lost.
func TestSQLiteFileRefusesANewColumn(t *testing.T) {
	s := databases[slicesIndex("sqlite", "tickets")].make(t)
	s.run("ALTER TABLE tickets ADD COLUMN note TEXT DEFAULT 'precious';")
	err := unchanged(t, s, func() error { _, err := s.client(s.file("sql/20_clean_and_index.sql")); return err })
	if err == nil {
		t.Error("the file ran over a table that was altered")
	}
}
