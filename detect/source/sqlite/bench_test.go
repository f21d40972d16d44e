package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/source"
)

const benchRows = 1_000_000

// BenchmarkPrints reads a million rows for their fingerprints, beside the
// driver's own reading of the same columns.
func BenchmarkPrints(b *testing.B) {
	path := filepath.Join(b.TempDir(), "large.sqlite")
	conn, err := sqlite.OpenConn(path, sqlite.OpenCreate, sqlite.OpenReadWrite)
	if err != nil {
		b.Fatal(err)
	}
	for _, sql := range []string{
		"CREATE TABLE t (id INTEGER PRIMARY KEY, payment TEXT, number INTEGER, pad TEXT)",
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
		 INSERT INTO t SELECT i, printf('pi_%024x', i * 2654435761 % 4294967296), i % 3, hex(zeroblob(70)) FROM n`,
	} {
		if err := run(conn, sql, nil); err != nil {
			b.Fatal(err)
		}
	}
	if err := conn.Close(); err != nil {
		b.Fatal(err)
	}
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	table, err := s.Inspect(context.Background(), source.Request{Table: "t", Key: []string{"payment", "number"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("driver", func(b *testing.B) {
		for b.Loop() {
			bytes := 0
			if err := run(s.conn, "SELECT id, payment, number FROM t", func(stmt *sqlite.Stmt) error {
				bytes += len(stmt.ColumnText(1)) + int(stmt.ColumnInt64(0)&stmt.ColumnInt64(2)&1)
				return nil
			}); err != nil || bytes < benchRows {
				b.Fatal(bytes, err)
			}
		}
		b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("prints", func(b *testing.B) {
		for b.Loop() {
			count, err := s.Prints(context.Background(), table, source.Pass{}, func([]source.Print) error { return nil })
			if err != nil || count.Rows != benchRows {
				b.Fatal(count, err)
			}
		}
		b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
