package scan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
)

// scattered is a fingerprint of a number.
func scattered(n uint64) uint64 { return n * 0x9e3779b97f4a7c15 }

// TestMemoryHoldsWhereRowsLie has one slot serve several rows.
func TestMemoryHoldsWhereRowsLie(t *testing.T) {
	m := newMemory(10, 1<<20)
	for i := range uint64(20_000) {
		if !m.Put(scattered(i), i) {
			t.Fatalf("no room for row %d", i)
		}
	}
	m.Put(scattered(7), 0)
	slot, places := m.Places(scattered(7))
	if !slices.Equal(places, []uint64{7, 0}) {
		t.Errorf("places are %d", places)
	}
	m.Set(scattered(7), []uint64{5})
	if again, places := m.Places(scattered(7)); again != slot || !slices.Equal(places, []uint64{5}) || m.beside != 0 {
		t.Errorf("after Set the places are %d in slot %d, %d bytes beside", places, again, m.beside)
	}
	for i := uint64(20_000); m.Put(scattered(i), i); i++ {
		if i*slotBytes > 1<<20 {
			t.Fatal("a memory of 1 MiB never fills")
		}
	}
	if _, places := m.Places(scattered(11)); !m.full || places[0] != 11 {
		t.Errorf("a full memory has the places %d", places)
	}
}

const forgetfulTable = `CREATE TABLE t (id integer PRIMARY KEY, k text, n integer, at timestamp, rest text);
	CREATE INDEX ON t (at);
	INSERT INTO t SELECT i, 'k' || i, 1, timestamp '2026-01-01' + i * interval '1 s', repeat('x', 100) FROM generate_series(1, 20000) AS i;
	ANALYZE t`

// TestWatchRemembersKeysWithoutAnIndex changes old rows in every way under a
// watch that remembers where they were.
func TestWatchRemembersKeysWithoutAnIndex(t *testing.T) {
	at := inPostgres(t, pgserver.Database(t))
	must(t, at.exec(forgetfulTable))
	must(t, at.exec("INSERT INTO t VALUES (20001, 'k19999', 1, '2026-01-02', '')"))
	w := startWatch(t, at, source.Request{Table: "t", Key: []string{"k", "n"}, Time: "at"}, "", "")
	if said := strings.Join(w.said, "; "); !strings.Contains(said, "kept in memory, about 0.2 MiB") || !strings.Contains(said, "are not reported: 1;") || strings.Contains(said, "whole table") {
		t.Errorf("said at the start: %s", said)
	}
	for _, step := range []struct {
		sql  string
		want []string
	}{
		{"", nil},
		{"INSERT INTO t VALUES (20002, 'k5', 1, '2026-02-01', ''), (20003, 'new', 1, '2026-02-01', ''), (20004, NULL, 1, '2026-02-01', '')", []string{"5,20002 false replay"}},
		{"INSERT INTO t VALUES (20005, 'new', 1, '2026-02-02', ''), (20006, NULL, 1, '2026-02-02', '')", []string{"20003,20005 false retry"}},
		// The old row lies elsewhere, and then everything does.
		{"UPDATE t SET rest = repeat('y', 3000) WHERE id = 6; INSERT INTO t VALUES (20007, 'k6', 1, '2026-02-03', '')", []string{"6,20007 false replay"}},
		{"VACUUM FULL t", nil},
		{"INSERT INTO t VALUES (20008, 'k19000', 1, '2026-02-04', '')", []string{"19000,20008 false replay"}},
		// What is gone makes no group, also where another row lies there now.
		{"DELETE FROM t WHERE id = 9", nil},
		{"VACUUM t", nil},
		{"INSERT INTO t VALUES (20009, 'k9', 1, '2026-02-05', ''), (20010, 'k9', 2, '2026-02-05', '')", nil},
		{"INSERT INTO t VALUES (20011, 'k9', 1, '2026-02-05', '')", []string{"20009,20011 false race"}},
		// A new row that is updated is no second one; one whose key changes is compared.
		{"INSERT INTO t VALUES (20012, 'late', 1, '2026-02-06', '')", nil},
		{"UPDATE t SET rest = repeat('z', 5000) WHERE id = 20012", nil},
		{"UPDATE t SET k = 'k11' WHERE id = 20012", []string{"11,20012 false replay"}},
		{"TRUNCATE t; INSERT INTO t VALUES (1, 'k1', 1, '2026-03-01', ''), (2, 'k2', 1, '2026-03-01', ''), (3, 'k2', 1, '2026-03-01', '')", []string{"2,3 false race"}},
	} {
		for sql := range strings.SplitSeq(step.sql, ";") {
			must(t, at.exec(sql))
		}
		if diff := cmp.Diff(step.want, w.once(t)); diff != "" {
			t.Errorf("after %q (-want +got):\n%s", step.sql, diff)
		}
	}
}

// TestWatchRemembersPartitions has partitions come and go.
func TestWatchRemembersPartitions(t *testing.T) {
	at := inPostgres(t, pgserver.Database(t))
	must(t, at.exec(`CREATE TABLE t (id integer, k text, n integer) PARTITION BY RANGE (id);
		CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (1000);
		CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (1000) TO (2000);
		INSERT INTO t SELECT i, 'k' || i FROM generate_series(1, 1500) AS i`))
	w := startWatch(t, at, source.Request{Table: "t", Key: []string{"k"}, ID: []string{"id"}}, "id", "")
	for _, step := range []struct {
		sql  string
		want []string
	}{
		{"CREATE TABLE t3 PARTITION OF t FOR VALUES FROM (2000) TO (3000); INSERT INTO t VALUES (2001, 'k7'), (2002, 'k1200'), (2003, 'three')", []string{"7,2001 false untimed", "1200,2002 false untimed"}},
		{"INSERT INTO t VALUES (2004, 'three')", []string{"2003,2004 false untimed"}},
		{"DROP TABLE t1; ALTER TABLE t DETACH PARTITION t2; INSERT INTO t VALUES (2005, 'k8'), (2006, 'k1201')", nil},
	} {
		must(t, at.exec(step.sql))
		found := w.once(t)
		slices.SortFunc(found, func(a, b string) int { return strings.Compare(a[strings.Index(a, ","):], b[strings.Index(b, ","):]) })
		if diff := cmp.Diff(step.want, found); diff != "" {
			t.Errorf("after %q (-want +got):\n%s", step.sql, diff)
		}
	}
}

// TestWatchWithoutRoom goes on by the table itself where there is no memory for
// its rows, at the start or later.
func TestWatchWithoutRoom(t *testing.T) {
	at := inPostgres(t, pgserver.Database(t))
	must(t, at.exec(forgetfulTable))
	for says, bytes := range map[string]int64{"would take 0.2 MiB, over --memory": 1000, "not remembered any longer": 200_000} {
		t.Run(says, func(t *testing.T) {
			must(t, at.exec("DELETE FROM t WHERE id > 20000"))
			w := startWatch(t, at, source.Request{Table: "t", Key: []string{"k", "n"}, Time: "at"}, "", "")
			w.Memory = bytes
			must(t, w.Close())
			src := reopened(t, at)
			must(t, w.Start(t.Context(), src, source.Request{Table: "t", Key: []string{"k", "n"}, Time: "at"}, ""))
			must(t, at.exec("INSERT INTO t SELECT i, 'k' || i, 1, timestamp '2026-02-01', '' FROM generate_series(20001, 30000) AS i"))
			must(t, at.exec("INSERT INTO t VALUES (40001, 'k25000', 1, '2026-02-01', ''), (40002, 'k12', 1, '2026-02-01', '')"))
			found := w.once(t)
			slices.Sort(found)
			if diff := cmp.Diff([]string{"12,40002 false replay", "25000,40001 false race"}, found); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			if said := strings.Join(w.said, "; "); !strings.Contains(said, says) || !strings.Contains(said, "the whole table is read") {
				t.Errorf("said: %s", said)
			}
			if again := w.once(t); len(again) > 0 {
				t.Errorf("found again: %v", again)
			}
		})
	}
}

// TestMemoryFindsWhatAnIndexFinds has two watches look at random changes of
// two tables with the same rows, of which one has an index on the key.
func TestMemoryFindsWhatAnIndexFinds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	at := inPostgres(t, pgserver.Database(t))
	var watches []*watcher
	for _, name := range []string{"indexed", "bare"} {
		must(t, at.exec("CREATE TABLE "+name+" (id integer PRIMARY KEY, k numeric, rest text); INSERT INTO "+name+" SELECT i, i, '' FROM generate_series(1, 3000) AS i"))
		if name == "indexed" {
			must(t, at.exec("CREATE INDEX ON indexed (k)"))
		}
		watches = append(watches, startWatch(t, at, source.Request{Table: name, Key: []string{"k"}}, "id", ""))
	}
	next, groups := 3001, 0
	for range 60 {
		var sql []string
		for range 1 + random.IntN(5) {
			switch random.IntN(8) {
			case 0:
				sql = append(sql, fmt.Sprintf("DELETE FROM %%[1]s WHERE id = %d", 1+random.IntN(next)))
			case 1:
				sql = append(sql, fmt.Sprintf("UPDATE %%[1]s SET rest = repeat('x', %d) WHERE id = %d", random.IntN(4000), 1+random.IntN(next)))
			case 2:
				sql = append(sql, fmt.Sprintf("UPDATE %%[1]s SET rest = 'y' WHERE id BETWEEN %d AND %d", next-20, next))
			default:
				sql = append(sql, fmt.Sprintf("INSERT INTO %%[1]s VALUES (%d, %d.00, '')", next, 1+random.IntN(3500)))
				next++
			}
		}
		if random.IntN(15) == 0 {
			sql = []string{"VACUUM FULL %[1]s"}
		}
		var found [2][]string
		for i, name := range []string{"indexed", "bare"} {
			must(t, at.exec(fmt.Sprintf(strings.Join(sql, ";")+"; --%[1]s", name)))
			found[i] = watches[i].once(t)
			slices.Sort(found[i])
		}
		if diff := cmp.Diff(found[0], found[1]); diff != "" {
			t.Fatalf("after %q (-index +memory):\n%s", sql, diff)
		}
		groups += len(found[0])
	}
	if groups < 20 {
		t.Errorf("only %d groups came", groups)
	}
}

// TestWatchOfARowThatMovesOften looks at one whose status is written again and
// again: no reading of the whole table is needed for that.
func TestWatchOfARowThatMovesOften(t *testing.T) {
	at := inPostgres(t, pgserver.Database(t))
	must(t, at.exec(forgetfulTable))
	w := startWatch(t, at, source.Request{Table: "t", Key: []string{"k", "n"}, Time: "at"}, "", "")
	must(t, at.exec("INSERT INTO t VALUES (20001, 'a', 1, '2026-02-01', '')"))
	w.once(t)
	before := w.memory.beside
	for i := range 20 {
		must(t, at.exec(fmt.Sprintf("UPDATE t SET rest = repeat('%d', 4000) WHERE id = 20001", i%10)))
		if found := w.once(t); len(found) > 0 {
			t.Errorf("found %v", found)
		}
	}
	if w.memory.beside != before {
		t.Errorf("the memory has grown by %d bytes", w.memory.beside-before)
	}
	must(t, w.look(t.Context(), time.Now().Add(2*time.Minute), w.Found))
}
