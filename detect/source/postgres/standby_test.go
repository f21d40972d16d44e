package postgres

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

// TestAStandbyMayInterruptAnyStep has the primary clean up between two steps of
// a scan each, whereupon the standby ends our idle sessions.
func TestAStandbyMayInterruptAnyStep(t *testing.T) {
	t.Parallel()
	primary := pgserver.Start(t, "wal_level=replica", "max_wal_senders=4")
	url := primary.Database(t)
	run(t, url, `CREATE TABLE t (id int PRIMARY KEY, k text, m money, at timestamptz); CREATE TABLE child (of int REFERENCES t); CREATE TABLE stir (id int);
		INSERT INTO t SELECT i, 'k' || i % 90, 1, '2026-01-01' FROM generate_series(1, 100) AS i; INSERT INTO child VALUES (1); ANALYZE`)
	standby := primary.Standby(t, "max_standby_streaming_delay=50ms", "max_standby_archive_delay=50ms")
	there := standby.Elsewhere(url)
	waitFor(t, there, "SELECT count(*) FROM child", "1", 20*time.Second)
	s := open(t, there, Options{})
	interrupt := func() {
		t.Helper()
		run(t, url, "INSERT INTO stir VALUES (1)")
		run(t, url, "DELETE FROM stir")
		run(t, url, "VACUUM stir")
		waitFor(t, there, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'twinrow/scan' AND xact_start IS NOT NULL", "0", 20*time.Second)
	}
	interrupt()
	request := source.Request{Table: "t", Key: []string{"k"}, ID: []string{"id"}, Time: "at"}
	table := inspect(t, s, request)
	interrupt()
	byHash, _ := prints(t, s, table, source.Pass{})
	interrupt()
	found, err := s.Place(t.Context(), table, slices.Concat(slices.Collect(maps.Values(byHash))...))
	if err != nil {
		t.Fatal(err)
	}
	locators := slices.Concat(found...)
	interrupt()
	if diff := cmp.Diff(expected(t, url, "t", "", request.Key, false), groups(t, s, table, locators)); diff != "" {
		t.Errorf("groups (-database +source):\n%s", diff)
	}
	writer := func(source.Writer) error { return nil }
	if err := s.Writers(t.Context(), table, locators, writer); err != nil {
		t.Error(err)
	}
	interrupt()
	// What is known by places alone is not asked of another snapshot.
	for range 2 {
		problem(t, s.Writers(t.Context(), table, locators, writer), key.CodeStopped, "ended the snapshot", "hot_standby_feedback")
	}
	problem(t, s.Compare(t.Context(), table, [][2]uint64{{locators[0], locators[1]}}, func([]bool) error { return nil }), key.CodeStopped, "ended the snapshot")
	interrupt()
	if _, err := s.Child(t.Context(), table, table.IncomingKeys[0]); err != nil {
		t.Error(err)
	}
	interrupt()
	problem(t, s.Keys(t.Context(), table, func([]source.Value) error { return nil }), key.CodeStopped, "ended the snapshot")
	window := source.Window{From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Width: time.Hour, Buckets: 1, Now: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}
	interrupt()
	if line, err := s.Timeline(t.Context(), table, window); err != nil || line.Counts[0] != 100 {
		t.Errorf("counted %v: %v", line.Counts, err)
	}
	// The next table begins anew; its key has no hash, so the database groups it.
	interrupt()
	grouped := inspect(t, s, source.Request{Table: "t", Key: []string{"m", "k"}, ID: []string{"id"}})
	interrupt()
	again, _ := clusters(t, s, grouped)
	if err := s.Writers(t.Context(), grouped, again, writer); err != nil || len(again) != 20 {
		t.Errorf("%d places: %v", len(again), err)
	}
	if caveats := strings.Join(s.Caveats(), "; "); !strings.Contains(caveats, "newest rows may be missing") || !strings.Contains(caveats, "stopped the reading") {
		t.Errorf("caveats: %s", caveats)
	}
}

// TestAStandbyMayInterruptAView has the primary clean up before, during and
// after the readings of rows that have no place.
func TestAStandbyMayInterruptAView(t *testing.T) {
	t.Parallel()
	primary := pgserver.Start(t, "wal_level=replica", "max_wal_senders=4")
	url := primary.Database(t)
	run(t, url, `CREATE TABLE t (id int PRIMARY KEY, k text, at timestamptz); CREATE VIEW v AS SELECT * FROM t; CREATE TABLE stir (id int);
		INSERT INTO t SELECT i, repeat('k', 200) || i, '2026-01-01' FROM generate_series(1, 60000) AS i; INSERT INTO t SELECT i + 60000, repeat('k', 200) || i, '2026-01-01' FROM generate_series(1, 3) AS i; ANALYZE`)
	standby := primary.Standby(t, "max_standby_streaming_delay=50ms", "max_standby_archive_delay=50ms")
	there := standby.Elsewhere(url)
	waitFor(t, there, "SELECT count(*) FROM t", "60003", 20*time.Second)
	s := open(t, there, Options{})
	stir := func() {
		for _, sql := range []string{"INSERT INTO stir VALUES (1)", "DELETE FROM stir", "VACUUM stir"} {
			run(t, url, sql)
		}
	}
	interrupt := func() {
		t.Helper()
		stir()
		waitFor(t, there, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'twinrow/scan' AND xact_start IS NOT NULL", "0", 20*time.Second)
	}
	table := inspect(t, s, source.Request{Table: "v", Key: []string{"k"}, ID: []string{"id"}, Time: "at"})
	interrupt()
	var places map[uint64][]uint64
	var again int
	for {
		places = map[uint64][]uint64{}
		calls := 0
		count, err := s.Prints(t.Context(), table, source.Pass{}, func(batch []source.Print) error {
			if calls++; calls == 2 && again == 1 {
				stir() // while the statement runs, or has just run
			}
			if again == 1 {
				time.Sleep(20 * time.Millisecond)
			}
			for _, p := range batch {
				places[p.Hash] = append(places[p.Hash], p.Locator)
			}
			return nil
		})
		if errors.Is(err, source.ErrAgain) {
			again++
			continue
		}
		if err != nil || count.Rows != 60003 {
			t.Fatalf("%d rows: %v", count.Rows, err)
		}
		break
	}
	if again == 0 {
		t.Error("it did not begin again")
	}
	var repeated []uint64
	for _, locators := range places {
		if len(locators) > 1 {
			repeated = append(repeated, locators...)
		}
	}
	interrupt()
	found, err := s.Place(t.Context(), table, repeated)
	if err != nil {
		t.Fatal(err)
	}
	// A key that changes meanwhile is no second row with one id.
	run(t, url, "UPDATE t SET k = 'other' WHERE id = 60003")
	waitFor(t, there, "SELECT count(*) FROM t WHERE k = 'other'", "1", 20*time.Second)
	interrupt()
	if found, err := s.Place(t.Context(), table, repeated); err != nil || len(found) != 2 {
		t.Fatalf("%d clusters: %v", len(found), err)
	}
	interrupt()
	if got := groups(t, s, table, slices.Concat(found...)); len(got) != 2 {
		t.Errorf("groups: %v", got)
	}
	interrupt()
	window := source.Window{From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Width: time.Hour, Buckets: 1, Now: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}
	if line, err := s.Timeline(t.Context(), table, window); err != nil || line.Counts[0] != 60003 {
		t.Errorf("counted %v: %v", line.Counts, err)
	}
}
