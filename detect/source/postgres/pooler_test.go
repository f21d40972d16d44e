package postgres

import (
	"fmt"
	"testing"
	"time"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

// TestThroughAPoolerOfTransactions reads through a pgbouncer that gives each
// transaction another server connection, also where it has but one.
func TestThroughAPoolerOfTransactions(t *testing.T) {
	t.Parallel()
	database := pgserver.Database(t)
	run(t, database, large+"ANALYZE large")
	for _, connections := range []int{1, 4} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			begun := time.Now()
			s := open(t, pgserver.Pooled(t, database, connections), Options{Jobs: 2, Fast: true})
			table := compare(t, s, database, source.Request{Table: "large", Key: []string{"k", "n"}, ID: []string{"id"}})
			if want := min(connections, 2) - 1; len(s.helpers) != want {
				t.Errorf("%d helpers through %d connections, want %d", len(s.helpers), connections, want)
			}
			if _, err := s.Transactions(t.Context(), table); err != nil {
				t.Error(err)
			}
			if tables, err := s.Catalogue(t.Context()); err != nil || len(tables) != 1 {
				t.Errorf("the catalogue has %d tables: %v", len(tables), err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(begun); took > time.Minute {
				t.Errorf("took %s: it waited for itself", took)
			}
		})
	}
}
