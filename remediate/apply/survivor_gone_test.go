package apply

import (
	"strings"
	"testing"
	"time"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"
)

// TestSurvivorsThatAnotherCleanUpTakes: between the last look at the survivors
// and the COMMIT another session removes duplicates too, keeps the other row of
// the group, and by its own snapshot finds it there. No lock on the survivor
// would keep it from that, for it has nothing to look at again once the lock is
// gone. verify tells, and undo brings a row of the key back.
func TestSurvivorsThatAnotherCleanUpTakes(t *testing.T) {
	url := pgserver.Database(t)
	psql(t, url, "CREATE TABLE t (id int PRIMARY KEY, k int); INSERT INTO t VALUES (1, 1), (2, 1), (3, 2), (4, 2);")
	s := planned(t, "postgres", url, scannedCase(t, "postgres", url, source.Request{Table: "t", Key: []string{"k"}}),
		plan.Options{Strategy: plan.Online, Rules: map[string]plan.Rules{"t": {Index: plan.IndexRule{None: true}}}})
	other := make(chan error, 1)
	records := 0
	if _, err := s.try(Options{recorded: func() {
		if records++; records != 2 { // the batch is about to be committed
			return
		}
		go func() {
			_, err := tryPsql(url, "DELETE FROM t AS a USING t AS b WHERE a.k = b.k AND a.id < b.id AND a.k = 1;")
			other <- err
		}()
		time.Sleep(300 * time.Millisecond) // it has looked, and waits or is done
	}}); err != nil {
		t.Fatal(full(err))
	}
	if err := <-other; err != nil {
		t.Fatal(err)
	}
	if left, err := s.client("SELECT id FROM t;"); err != nil || left != "3\n" {
		t.Fatalf("left are %q, %v", left, err)
	}
	found := false
	for _, c := range s.verify().Checks {
		found = found || !c.OK && strings.Contains(c.Name, "surviv")
	}
	if !found {
		t.Errorf("verify does not tell: %+v", s.verify())
	}
	s.undo()
	if left, err := s.client("SELECT id FROM t ORDER BY id;"); err != nil || left != "2\n3\n4\n" {
		t.Errorf("after the undo there are %q, %v", left, err)
	}
}
