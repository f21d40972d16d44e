package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"twinrow/detect/source/sourcetest/pgserver"
)

// suspectTables is the size of the database that `suspects` is asked about.
const suspectTables = 2000

// BenchmarkSuspects times `suspects` on a database of 2,000 tables, of which
// every tenth has a key that ought to be unique, and reports seconds an answer.
func BenchmarkSuspects(b *testing.B) {
	url := pgserver.Database(b)
	// A thousand tables a transaction fit the server's room for locks.
	script := fmt.Sprintf(`DO $$ BEGIN FOR i IN 1..%d LOOP
  EXECUTE format('CREATE TABLE t%%s (id int PRIMARY KEY, %%I text, note text, created_at timestamptz)', i, CASE WHEN i %% 10 = 0 THEN 'idempotency_key' ELSE 'name' END);
  EXECUTE format('INSERT INTO t%%s SELECT g, ''v'' || g, ''x'', now() FROM generate_series(1, 20) AS g', i);
  EXECUTE format('ANALYZE t%%s', i);
  IF i %% 100 = 0 THEN COMMIT; END IF;
END LOOP; END $$`, suspectTables)
	if out, err := exec.Command("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", script, url).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	for b.Loop() {
		status, stdout, stderr := runProgram(context.Background(), nil, "suspects", url, "--format", "json")
		if status != 0 || strings.Count(stdout, `"idempotency_key"`) < suspectTables/10 {
			b.Fatalf("status %d: %.300s %s", status, stdout, stderr)
		}
	}
}
