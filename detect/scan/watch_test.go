package scan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"twinrow/detect/casefile"
	"twinrow/detect/classify"
	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/detect/source/postgres"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/detect/source/sqlite"
)

// place is a database of either engine that a watch test writes to.
type place struct {
	open func() (source.Source, error)
	exec func(sql string) error
}

func places(t *testing.T) map[string]place {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.db")
	url := pgserver.Database(t)
	return map[string]place{"sqlite": inSQLite(t, file), "postgres": inPostgres(t, url)}
}

func inSQLite(t *testing.T, file string) place {
	t.Helper()
	exec := func(sql string) error {
		conn, err := zombiezen.OpenConn(file)
		if err != nil {
			return err
		}
		return errors.Join(sqlitex.ExecuteScript(conn, sql, nil), conn.Close())
	}
	return place{func() (source.Source, error) { return sqlite.Open(t.Context(), file, sqlite.Options{}) }, exec}
}

func inPostgres(t *testing.T, url string) place {
	t.Helper()
	exec := func(sql string) error {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(t.Context(), sql)
		return errors.Join(err, conn.Close(context.Background()))
	}
	return place{func() (source.Source, error) { return postgres.Open(t.Context(), url, postgres.Options{Jobs: 1}) }, exec}
}

// watcher collects what a watch says and finds.
type watcher struct {
	Watch
	mu    sync.Mutex
	found []string
	said  []string
}

func startWatch(t *testing.T, at place, request source.Request, by, since string) *watcher {
	t.Helper()
	w := &watcher{Watch: Watch{Every: 20 * time.Millisecond, Overlap: time.Minute, Windows: classify.DefaultWindows, Since: source.Mark{Text: since}}}
	w.Said = func(message string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.said = append(w.said, message)
	}
	w.Found = func(g *casefile.Group, grown bool) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		ids := make([]string, len(g.Rows))
		for i, row := range g.Rows {
			ids[i], _ = row.ID.Get("id")
		}
		w.found = append(w.found, fmt.Sprintf("%s %t %s", strings.Join(ids, ","), grown, g.Class))
		return nil
	}
	src, err := at.open()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context(), src, request, by); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// once looks once more and returns what was found since.
func (w *watcher) once(t *testing.T) []string {
	t.Helper()
	w.found = nil
	if err := w.look(t.Context(), time.Now(), w.Found); err != nil {
		t.Fatal(err)
	}
	return w.found
}

const watchedTable = `CREATE TABLE t (id integer PRIMARY KEY, k text, n integer, at timestamp);
	CREATE INDEX by_key ON t (k, n);
	INSERT INTO t VALUES (1, 'old', 1, '2026-01-01 10:00:00'), (2, 'twice', 1, '2026-01-01 10:00:00'), (3, 'twice', 1, '2026-01-01 10:00:01'), (4, NULL, 1, NULL);`

func TestWatchFindsNewRowsThatRepeatOldOnes(t *testing.T) {
	for name, at := range places(t) {
		t.Run(name, func(t *testing.T) {
			must(t, at.exec(watchedTable))
			w := startWatch(t, at, source.Request{Table: "t", Key: []string{"k", "n"}, Time: "at"}, "id", "")
			if said := strings.Join(w.said, "; "); !strings.Contains(said, "are not reported: 1;") || !strings.Contains(said, "by id, now at 4") || strings.Contains(said, "no index") {
				t.Errorf("said at the start: %s", said)
			}
			for _, step := range []struct {
				sql  string
				want []string
			}{
				{"", nil},
				{"INSERT INTO t VALUES (5, 'old', 1, '2026-01-01 10:00:00.5'), (6, 'other', 1, NULL), (7, NULL, 1, NULL), (8, 'old', 2, NULL)", []string{"1,5 false race"}},
				{"", nil},
				{"INSERT INTO t VALUES (9, 'twice', 1, '2026-01-01 10:00:02')", []string{"2,3,9 true race"}},
				// One that was committed late has an id below those seen.
				{"DELETE FROM t WHERE id = 6; INSERT INTO t VALUES (6, 'old', 2, NULL)", []string{"6,8 false untimed"}},
			} {
				if step.sql != "" {
					must(t, at.exec(step.sql))
				}
				if diff := cmp.Diff(step.want, w.once(t)); diff != "" {
					t.Errorf("after %q (-want +got):\n%s", step.sql, diff)
				}
			}
		})
	}
}

// TestWatchLooksFromTheOverlapOn moves the clock: what was seen longer ago
// than the overlap is not looked at again.
func TestWatchLooksFromTheOverlapOn(t *testing.T) {
	for name, at := range places(t) {
		t.Run(name, func(t *testing.T) {
			must(t, at.exec("CREATE TABLE t (id integer PRIMARY KEY, k text, at text)"))
			w := startWatch(t, at, source.Request{Table: "t", Key: []string{"k"}, NullsEqual: true}, "", "")
			now := time.Now()
			look := func(after time.Duration) []string {
				w.found = nil
				must(t, w.look(t.Context(), now.Add(after), w.Found))
				return w.found
			}
			must(t, at.exec("INSERT INTO t VALUES (10, 'a', ''), (20, NULL, '')"))
			look(0)
			must(t, at.exec("INSERT INTO t VALUES (30, 'b', '')"))
			look(61 * time.Second)
			if got := w.marks[0].mark.Text; got != "20" {
				t.Errorf("it looks from %s on, want 20", got)
			}
			must(t, at.exec("INSERT INTO t VALUES (11, 'a', ''), (21, NULL, ''), (31, 'a', '')"))
			if diff := cmp.Diff([]string{"10,11,31 false untimed", "20,21 false untimed"}, slices.Sorted(slices.Values(look(62*time.Second)))); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWatchSinceAndWithoutIndexes(t *testing.T) {
	for name, at := range places(t) {
		t.Run(name, func(t *testing.T) {
			must(t, at.exec(`CREATE TABLE t (id integer, k text, at timestamp);
				INSERT INTO t VALUES (1, 'a', '2026-01-01 10:00:00'), (2, 'b', '2026-01-01 10:00:00'), (3, 'b', '2026-01-01 10:00:01'), (4, 'a', '2026-01-01 11:00:00'), (5, 'a', '2026-01-01 11:00:01')`))
			w := startWatch(t, at, source.Request{Table: "t", Key: []string{"lower(k)"}, Where: "id <> 5", ID: []string{"id"}, Time: "at"}, "", "2026-01-01 10:30:00")
			if said := strings.Join(w.said, "; "); strings.Count(said, "no index begins with") != 2 {
				t.Errorf("said at the start: %s", said)
			}
			if diff := cmp.Diff([]string{"1,4 false retry"}, w.once(t)); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWatchOfAView has rows without a place and without a transaction.
func TestWatchOfAView(t *testing.T) {
	at := inPostgres(t, pgserver.Database(t))
	must(t, at.exec(watchedTable+"CREATE VIEW v AS SELECT * FROM t WHERE n = 1"))
	w := startWatch(t, at, source.Request{Table: "v", Key: []string{"k"}, ID: []string{"id"}}, "", "")
	must(t, at.exec("INSERT INTO t VALUES (5, 'old', 1, NULL), (6, 'twice', 2, NULL)"))
	if diff := cmp.Diff([]string{"1,5 false untimed"}, w.once(t)); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

func TestWatchSurvivesARestart(t *testing.T) {
	server := pgserver.Start(t)
	at := inPostgres(t, server.Database(t))
	must(t, at.exec(watchedTable))
	w := startWatch(t, at, source.Request{Table: "t", Key: []string{"k", "n"}}, "id", "")
	stop := errors.New("found")
	found := w.Found
	w.Found = func(g *casefile.Group, grown bool) error { return errors.Join(found(g, grown), stop) }
	done := make(chan error, 1)
	go func() { done <- w.Run(t.Context()) }()
	server.Crash(t)
	for {
		w.mu.Lock()
		lost := strings.Contains(strings.Join(w.said, "; "), "trying again in 1s")
		w.mu.Unlock()
		if lost {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	server.Restart(t)
	must(t, at.exec("INSERT INTO t VALUES (5, 'old', 1, NULL)"))
	if err := <-done; !errors.Is(err, stop) || len(w.found) != 1 {
		t.Errorf("it ended with %v after %v", err, w.found)
	}
}

func TestWatchEnds(t *testing.T) {
	at := places(t)["sqlite"]
	must(t, at.exec(watchedTable))
	w := startWatch(t, at, source.Request{Table: "t", Key: []string{"k"}}, "", "")
	w.For = 100 * time.Millisecond
	must(t, w.Run(t.Context()))
	must(t, at.exec("DROP TABLE t"))
	w.For = 0
	if err := w.Run(t.Context()); err == nil || passes(err) {
		t.Errorf("a table that is gone: %v", err)
	}
	src, err := at.open()
	must(t, err)
	defer src.Close()
	for name, c := range map[string]struct {
		request source.Request
		by      string
	}{
		"no such column": {source.Request{Table: "u", Key: []string{"k"}}, "nr"},
		"nothing grows":  {source.Request{Table: "u", Key: []string{"k"}}, ""},
	} {
		must(t, at.exec("CREATE TABLE IF NOT EXISTS u (k text)"))
		var w Watch
		w.Windows = classify.DefaultWindows
		err := w.Start(t.Context(), reopened(t, at), c.request, c.by)
		if problem, ok := errors.AsType[*key.Problem](err); !ok || problem.Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func reopened(t *testing.T, at place) source.Source {
	t.Helper()
	src, err := at.open()
	must(t, err)
	t.Cleanup(func() { _ = src.Close() })
	return src
}

// BenchmarkWatch measures a look at a table of ROWS rows (1,000,000 unless
// set) with an index on the time, and then with one on the key too, while 100
// rows come in between two looks and the overlap holds 6,000.
func BenchmarkWatch(b *testing.B) {
	rows := 1_000_000
	if text := os.Getenv("ROWS"); text != "" {
		var err error
		if rows, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	url := pgserver.Database(b)
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	exec := func(sql string, args ...any) {
		if _, err := conn.Exec(b.Context(), sql, args...); err != nil {
			b.Fatal(err)
		}
	}
	insert := `INSERT INTO t SELECT i, 'pi_' || md5(i::text), i % 3, timestamptz '2026-01-01' + i * interval '10 ms', repeat('x', 120) FROM generate_series($1::bigint, $2::bigint) AS i`
	exec(`CREATE TABLE t (id bigint, k text, n int, at timestamptz, rest text)`)
	exec(insert, 1, rows)
	exec(`ALTER TABLE t ADD PRIMARY KEY (id)`)
	exec(`CREATE INDEX ON t (at)`)
	exec(`VACUUM ANALYZE t`)
	last := rows
	looks := func(b *testing.B) {
		src, err := postgres.Open(b.Context(), url, postgres.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer src.Close()
		w := &Watch{Overlap: time.Minute, Windows: classify.DefaultWindows, Said: func(string) {}}
		w.Found = func(*casefile.Group, bool) error { return nil }
		begun := time.Now()
		if err := w.Start(b.Context(), src, source.Request{Table: "t", Key: []string{"k", "n"}, Time: "at"}, ""); err != nil {
			b.Fatal(err)
		}
		defer w.Close()
		started := time.Since(begun)
		for now := time.Now(); b.Loop(); {
			b.StopTimer()
			exec(insert, last+1, last+100)
			last, now = last+100, now.Add(time.Second)
			b.StartTimer()
			if err := w.look(b.Context(), now, w.Found); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/look")
		b.ReportMetric(float64(rows), "rows")
		b.ReportMetric(started.Seconds(), "s-at-start")
		if w.memory != nil {
			b.ReportMetric(float64(w.memory.size()*slotBytes)/float64(rows), "bytes/row")
		}
	}
	b.Run("time", looks)
	exec(`CREATE INDEX ON t (k, n)`)
	b.Run("time-and-key", looks)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
