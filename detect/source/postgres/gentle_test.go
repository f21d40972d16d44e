package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

// slow makes a table of some megabytes whose key takes seconds to work out.
const slow = `
CREATE TABLE slow (id serial PRIMARY KEY, k text, pad text, at timestamptz DEFAULT pg_catalog.now());
INSERT INTO slow (k, pad) SELECT 'key ' || i % 19000, repeat('x', 700) FROM generate_series(1, 20000) AS i;
ANALYZE slow;
CREATE FUNCTION tired(k text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM pg_catalog.pg_sleep(0.0002); RETURN k; END $$;
`

// ours counts the server's sessions of a scan or watch, and what they may have left.
const ours = `SELECT (SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'twinrow/%' AND state = 'active'),
	(SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'twinrow/%'), (SELECT count(*) FROM pg_ls_tmpdir()),
	(SELECT count(*) FROM pg_locks WHERE relation = 'slow'::regclass)`

func waitFor(t *testing.T, url, sql, want string, most time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(most); ; time.Sleep(20 * time.Millisecond) {
		got := strings.Join(run(t, url, sql), ",")
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s the server has %q, want %q", most, got, want)
		}
	}
}

// phases are what a scan, a watch and a look at the catalogue do that can take
// long, each with a request that makes it so.
var phases = map[string]struct {
	options Options
	request source.Request
	run     func(context.Context, *Source, *source.Table) error
}{
	"packed":     {Options{Fast: true}, source.Request{Table: "slow", Key: []string{"tired(k)"}}, readPrints},
	"cache-safe": {Options{}, source.Request{Table: "slow", Key: []string{"tired(k)"}}, readPrints},
	"grouping": {Options{}, source.Request{Table: "slow", Key: []string{"tired(k)", "1::money"}}, func(ctx context.Context, s *Source, t *source.Table) error {
		_, err := s.Repeats(ctx, t, func([]uint64) error { return nil })
		return err
	}},
	"view": {Options{}, source.Request{Table: "seen", Key: []string{"tired(k)"}}, readPrints},
	"view again": {Options{}, source.Request{Table: "seen", Key: []string{"tired(k)"}}, func(ctx context.Context, s *Source, t *source.Table) error {
		_, err := s.Place(ctx, t, []uint64{1})
		return err
	}},
	"fetching": {Options{}, source.Request{Table: "slow", Key: []string{"tired(k)"}}, func(ctx context.Context, s *Source, t *source.Table) error {
		var all []uint64
		for block := range uint64(2000) {
			for line := range uint64(10) {
				all = append(all, block<<16|(line+1))
			}
		}
		return s.Fetch(ctx, t, all, func(source.Row) error { return nil })
	}},
	"counting": {Options{}, source.Request{Table: "slow", Key: []string{"k"}, Where: "tired(k) IS NOT NULL", Time: "at"}, func(ctx context.Context, s *Source, t *source.Table) error {
		now := time.Now()
		_, err := s.Timeline(ctx, t, source.Window{From: now, Width: time.Hour, Buckets: 1, Now: now})
		return err
	}},
	"other keys": {Options{}, source.Request{Table: "slow", Key: []string{"tired(k)"}}, func(ctx context.Context, s *Source, t *source.Table) error {
		return s.Keys(ctx, t, func([]source.Value) error { return nil })
	}},
	"watching": {Options{}, source.Request{Table: "slow", Key: []string{"k"}, Where: "tired(k) IS NOT NULL"}, func(ctx context.Context, s *Source, t *source.Table) error {
		feed, err := s.Follow(ctx, t, "id")
		if err != nil {
			return err
		}
		return errors.Join(feed.Groups(ctx, source.Mark{}, func(source.Row) error { return nil }), feed.Close())
	}},
	"suspecting": {Options{}, source.Request{}, func(ctx context.Context, s *Source, _ *source.Table) error {
		_, err := s.Catalogue(ctx) // which waits for the statistics
		return err
	}},
}

func readPrints(ctx context.Context, s *Source, t *source.Table) error {
	_, err := s.Prints(ctx, t, source.Pass{}, func([]source.Print) error { return nil })
	return err
}

// TestACancelledScanLeavesNothing cancels each phase and looks at the server itself.
func TestACancelledScanLeavesNothing(t *testing.T) {
	t.Parallel()
	server := pgserver.Start(t)
	url := server.Database(t)
	run(t, url, slow+"CREATE VIEW seen AS SELECT * FROM slow")
	hold, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hold.Close(context.Background()) }()
	for name, phase := range phases {
		s := open(t, url, phase.options)
		var table *source.Table
		if phase.request.Table != "" {
			table = inspect(t, s, phase.request)
		} else if _, err := hold.Exec(t.Context(), "BEGIN; LOCK TABLE pg_catalog.pg_statistic IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- phase.run(ctx, s, table) }()
		t.Log(name)
		waitFor(t, url, `SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name LIKE 'twinrow/%' AND state = 'active' AND (query LIKE '%tired%' OR wait_event_type = 'Lock')`, "t", 10*time.Second)
		start := time.Now()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the cancelled reading ended with %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		waitFor(t, url, ours, "0|0|0|0", time.Second-min(time.Since(start), 900*time.Millisecond))
		if table == nil {
			if _, err := hold.Exec(t.Context(), "ROLLBACK"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAPaceHoldsTheServerBack(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, slow)
	for i, options := range []Options{{Fast: true}, {}, {Fast: true}, {}} {
		options.Pace = source.NewPace(30 << 20)
		s := open(t, url, options)
		// What is learnt of the times on the way comes at the same pace.
		table := inspect(t, s, source.Request{Table: "slow", Key: []string{"k"}, Time: []string{"", "at"}[i/2]})
		start := time.Now()
		_, count := prints(t, s, table, source.Pass{})
		// Less the last messages, which nobody waits behind.
		least := time.Duration(float64(table.Bytes-2<<20) / (30 << 20) * float64(time.Second))
		if took := time.Since(start); count.Rows != 20000 || took < least {
			t.Errorf("%d rows in %s, want at least %s for %d bytes", count.Rows, took, least, table.Bytes)
		}
	}
}

// TestAStandbyMayInterrupt scans a streaming standby that lets nobody stand in
// the way of its primary's clean-up.
func TestAStandbyMayInterrupt(t *testing.T) {
	t.Parallel()
	primary := pgserver.Start(t, "wal_level=replica", "max_wal_senders=4")
	url := primary.Database(t)
	run(t, url, slow+`CREATE OR REPLACE FUNCTION tired(k text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
		BEGIN IF pg_catalog.right(k, 1) IN ('0', '5') THEN PERFORM pg_catalog.pg_sleep(0.0002); END IF; RETURN k; END $$`)
	standby := primary.Standby(t, "max_standby_streaming_delay=100ms", "max_standby_archive_delay=100ms")
	there := standby.Elsewhere(url)
	waitFor(t, there, "SELECT count(*) FROM slow", "20000", 20*time.Second)
	s := open(t, there, Options{})
	table := inspect(t, s, source.Request{Table: "slow", Key: []string{"tired(k)"}})
	if way := s.Capabilities(table); way.Way != heapWay(s) || way.Way == "packed" && !strings.Contains(way.Reason, "standby") {
		t.Errorf("a standby is read in the way %q: %s", way.Way, way.Reason)
	}
	byHash := map[uint64]map[uint64]bool{}
	started := false
	count, err := s.Prints(context.Background(), table, source.Pass{}, func(batch []source.Print) error {
		if !started {
			started = true
			run(t, url, "DELETE FROM slow WHERE id > 19990")
			run(t, url, "VACUUM slow")
		}
		for _, p := range batch {
			if byHash[p.Hash] == nil {
				byHash[p.Hash] = map[uint64]bool{}
			}
			if byHash[p.Hash][p.Locator] {
				return errors.New("a row came twice")
			}
			byHash[p.Hash][p.Locator] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.renewals == 0 {
		t.Error("the standby did not interrupt the reading")
	}
	if count.Rows < 19990 || count.Rows > 20000 || len(byHash) != 19000 {
		t.Errorf("read %d rows of %d keys", count.Rows, len(byHash))
	}
	caveats := strings.Join(s.Caveats(), "\n")
	for _, want := range []string{"newest rows may be missing", "the standby stopped the reading"} {
		if !strings.Contains(caveats, want) {
			t.Errorf("the caveats do not say %q:\n%s", want, caveats)
		}
	}
}
