package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"twinrow/detect/key"
)

// TestFileCutShort: whatever is missing of a file, it is not scanned.
func TestFileCutShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.db")
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlitex.ExecuteScript(conn, "CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT); WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT i, 'key ' || i / 2 FROM n;", nil); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, missing := range []int{1, 100, 4096, 5000} {
		if err := os.WriteFile(path, whole[:len(whole)-missing], 0o600); err != nil {
			t.Fatal(err)
		}
		src, err := Open(t.Context(), path, Options{})
		problem, ok := errors.AsType[*key.Problem](err)
		if !ok || problem.Code != key.CodeBadInput {
			t.Errorf("%d bytes missing: got %v", missing, err)
		}
		if src != nil {
			src.Close()
		}
	}
}
