package postgres

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

// timed is a table whose rows lie in the order of their times in one half, and
// anyhow in the other; some have no time, and some one that nobody believes.
const timed = `
CREATE TABLE timed (id int, k text, at timestamptz, plain timestamp, day date, pad text) PARTITION BY RANGE (id);
CREATE TABLE empty PARTITION OF timed FOR VALUES FROM (-10) TO (0);
CREATE TABLE ordered PARTITION OF timed FOR VALUES FROM (0) TO (10000);
CREATE TABLE anyhow PARTITION OF timed FOR VALUES FROM (10000) TO (20000);
INSERT INTO timed SELECT i, 'k' || i, x, x, x, repeat('x', 900) FROM (
	SELECT i, '2025-01-01'::timestamptz + interval '7 min' * CASE WHEN i < 10000 THEN i ELSE i * 7919 % 10000 END AS x FROM generate_series(0, 19999) i) AS s;
UPDATE timed SET at = NULL, plain = NULL, day = NULL WHERE id % 977 = 5;
UPDATE timed SET at = '-infinity', plain = '-infinity', day = 'infinity' WHERE id % 1979 = 7;
UPDATE timed SET at = '2999-12-31', plain = '4713-01-01 BC', day = '2999-12-31' WHERE id % 2999 = 9;
ANALYZE timed`

// TestTheTimelineByTheWay counts in all ways what one count of the whole table does.
func TestTheTimelineByTheWay(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, timed)
	from := time.Date(2025, 1, 10, 0, 0, 0, 0, time.UTC)
	windows := []source.Window{
		{From: from, Width: 24 * time.Hour, Buckets: 7, Now: from.AddDate(1, 0, 0)},
		{From: from, Width: time.Hour, Buckets: 200, Now: from.AddDate(0, 0, 6)},
		{From: from.AddDate(10, 0, 0), Width: time.Minute, Buckets: 3, Now: from.AddDate(20, 0, 0)},
		{From: from.AddDate(-30, 0, 0), Width: 365 * 24 * time.Hour, Buckets: 50, Now: from.AddDate(2000, 0, 0)},
	}
	whole := open(t, url, Options{})
	for _, options := range []Options{{Jobs: 2}, {Fast: true}, {Jobs: 3, Fast: true}} {
		s := open(t, url, options)
		for _, column := range []string{"at", "plain", "day"} {
			request := source.Request{Table: "timed", Key: []string{"k"}, ID: []string{"id"}, Where: "id % 3 <> 1", Time: column}
			table := inspect(t, s, request)
			prints(t, s, table, source.Pass{})
			for n, w := range windows {
				want, err := whole.Timeline(context.Background(), inspect(t, whole, request), w)
				if err != nil {
					t.Fatal(err)
				}
				got, err := s.Timeline(context.Background(), table, w)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s in window %d with %+v (-whole +by the way):\n%s", column, n, options, diff)
				}
			}
		}
	}
}

// TestOrderedRowsAreNotReadAgain takes the share that a window's borders cut.
func TestOrderedRowsAreNotReadAgain(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	run(t, url, timed)
	s := open(t, url, Options{Fast: true})
	from := time.Date(2025, 1, 10, 0, 0, 0, 0, time.UTC)
	for name, most := range map[string]float64{"ordered": 0.2, "anyhow": 1} {
		table := inspect(t, s, source.Request{Table: name, Key: []string{"k"}, Time: "at", ID: []string{"id"}})
		prints(t, s, table, source.Pass{})
		r, err := s.relation(table)
		if err != nil {
			t.Fatal(err)
		}
		_, unclear := r.profile.count(r.heaps[0], source.Window{From: from, Width: 24 * time.Hour, Buckets: 10, Now: from.AddDate(1, 0, 0)})
		var blocks int64
		for _, one := range unclear {
			blocks += one.to - one.from
		}
		if share := float64(blocks) / float64(r.heaps[0].blocks); share > most || blocks == 0 {
			t.Errorf("%s: %.2f of %d blocks are read again", name, share, r.heaps[0].blocks)
		}
		trial, err := s.Try(context.Background(), table)
		if want := int64(most) * table.Bytes; err != nil || !trial.Told || trial.Took <= 0 || trial.Again < want*9/10 || trial.Again > want {
			t.Errorf("%s of %d bytes: foretold %+v, %v", name, table.Bytes, trial, err)
		}
	}
}

// TestProfilesOfLargeTables shares entries between heaps where there are more
// ranges than entries.
func TestProfilesOfLargeTables(t *testing.T) {
	at := times{3, 0, 1}
	small := heap{base: 0, blocks: 6, numbers: 8}
	large := heap{base: 8, blocks: 3 * mostEntries * rangeBlocks, numbers: 3 * mostEntries * rangeBlocks}
	table := &source.Table{Time: "at", Columns: []source.Column{{Name: "at", Type: "timestamp with time zone"}}}
	p := newProfile(&relation{heaps: []heap{small, large}}, table)
	if len(p.at) > mostEntries+1 || p.step != 4*rangeBlocks {
		t.Fatalf("%d entries of %d blocks", len(p.at), p.step)
	}
	p.add([]glimpse{{0, at}, {4, at}, {8, at}, {16, at}, {large.blocks, at}})
	w := source.Window{From: instant(0).Add(-time.Hour), Width: 2 * time.Hour, Buckets: 1, Now: instant(0).Add(time.Hour)}
	for _, c := range []struct {
		heap    heap
		rows    int64
		unclear string
	}{
		{small, 0, "[{0 6}]"}, {large, 3, "[{0 8} {1572856 1572864}]"},
	} {
		line, unclear := p.count(c.heap, w)
		if line.Counts[0] != c.rows || fmt.Sprint(unclear) != c.unclear {
			t.Errorf("%d rows, and %v to read", line.Counts[0], unclear)
		}
	}
}
