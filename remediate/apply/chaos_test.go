package apply

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"twinrow/detect/source"
	"twinrow/detect/source/sourcetest/pgserver"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

// kills is how many processes die at random moments, $TWINROW_TEST_KILLS or a
// few; with the variable set, one dies at every record of the journal too.
func kills() (random int, everyRecord bool) {
	if n, err := strconv.Atoi(os.Getenv("TWINROW_TEST_KILLS")); err == nil {
		return n, true
	}
	return 4, false
}

// shop is a table with 12 surplus rows, and with others that refer to these:
// by a foreign key, with collisions, and in arrays.
const shop = `
CREATE TABLE orders (id bigint PRIMARY KEY, ref text, amount numeric, created_at timestamptz);
INSERT INTO orders SELECT g, 'ref ' || g % 20, 1.50, timestamptz '2025-01-01' + g * interval '1 minute' FROM generate_series(1, 32) AS g;
CREATE TABLE lines (id int PRIMARY KEY, order_id bigint REFERENCES orders ON DELETE CASCADE); INSERT INTO lines SELECT g, g FROM generate_series(1, 32) AS g;
CREATE TABLE tags (order_id bigint REFERENCES orders, tag text, n int, PRIMARY KEY (order_id, tag)); INSERT INTO tags SELECT g, 'x', g FROM generate_series(1, 32, 3) AS g UNION ALL SELECT g, 'x', g FROM generate_series(21, 32, 5) AS g WHERE g % 3 <> 1;
CREATE TABLE lists (id int PRIMARY KEY, ids bigint[]); INSERT INTO lists SELECT g, ARRAY[g, NULL, g + 20, g + 13, g + 20] FROM generate_series(1, 12) AS g;
CREATE INDEX orders_ref_idx ON orders (ref DESC) WHERE id > 0;`

// shopCase scans the shop and plans what is declared of those that refer, and
// of the index.
func shopCase(t *testing.T, url, strategy string, index plan.IndexRule) *story {
	t.Helper()
	psql(t, url, shop)
	return scanned(t, "postgres", url, plan.Options{Strategy: strategy, Rules: map[string]plan.Rules{"orders": {Index: index, References: []plan.ReferenceRule{
		{Table: "tags", Columns: []string{"order_id"}, OnConflict: plan.Merge, Merge: []plan.ColumnRule{{Column: "n", Rule: "sum"}}},
		{Table: "lists", Columns: []string{"ids"}, OnConflict: plan.Drop},
	}}}}, source.Request{Table: "orders", Key: []string{"ref"}, Time: "created_at", References: []source.Declared{{Table: "lists", Columns: []string{"ids"}, Array: true}}})
}

// deaths are what is killed: each strategy, with each thing that the
// configuration may ask of the index. Those with a share of 1 die at as many
// random moments each as the figure asked for says of all of them together.
var deaths = []struct {
	name, strategy string
	index          plan.IndexRule
	share          int
}{
	{"atomic", plan.Atomic, plan.IndexRule{}, 1},
	{"online", plan.Online, plan.IndexRule{}, 1},
	{"atomic, index replaced", plan.Atomic, plan.IndexRule{Replaces: "orders_ref_idx"}, 4},
	{"online, index replaced", plan.Online, plan.IndexRule{Replaces: "orders_ref_idx"}, 4},
	{"atomic, constraint", plan.Atomic, plan.IndexRule{Name: "One order", Constraint: true, Replaces: "orders_ref_idx"}, 4},
	{"online, constraint", plan.Online, plan.IndexRule{Name: "One order", Constraint: true, Replaces: "orders_ref_idx"}, 4},
	{"atomic, no index", plan.Atomic, plan.IndexRule{None: true}, 4},
	{"online, no index", plan.Online, plan.IndexRule{None: true}, 4},
}

// toll counts what the kills of one strategy came to.
type toll struct {
	name                          string
	kills, lost, touched, resumed int
	atRecords, atSteps, atRandom  int
}

// TestKilledAtAnyMoment kills apply and undo, of both strategies and with all
// that may be declared of the index, and looks each time that every row is in
// the table or in quarantine, that what stays was not touched, and that the
// work goes on or back from there.
func TestKilledAtAnyMoment(t *testing.T) {
	random, everyRecord := kills()
	verbs := []string{"apply", "undo"}
	tolls := make([]toll, len(verbs)*len(deaths))
	t.Run("strategies", func(t *testing.T) {
		for i, death := range deaths {
			if !everyRecord && death.share > 1 {
				continue
			}
			t.Run(death.name, func(t *testing.T) {
				t.Parallel()
				url := pgserver.Database(t)
				c := &chaos{story: shopCase(t, url, death.strategy, death.index)}
				if table := c.plan.Tables[0]; len(table.Held) > 0 || table.Effects["public.tags"].Deleted == 0 || table.Effects["public.lists"].Updated == 0 {
					t.Fatalf("%+v", table)
				}
				c.before = c.dump()
				c.all = c.text("SELECT string_agg(o::text, E'\\n' ORDER BY o::text) FROM orders AS o")
				for n, verb := range verbs {
					count := &tolls[len(verbs)*i+n]
					count.name = death.name + ", " + verb
					c.run(verb, count, random/4/death.share, everyRecord)
				}
			})
		}
	})
	if everyRecord {
		fmt.Printf("\n%-30s %6s %8s %6s %7s %10s %18s %8s\n", "killed in", "kills", "records", "steps", "random", "rows lost", "survivors touched", "went on")
		for _, got := range tolls {
			fmt.Printf("%-30s %6d %8d %6d %7d %10d %18d %8d\n", got.name, got.kills, got.atRecords, got.atSteps, got.atRandom, got.lost, got.touched, got.resumed)
		}
	}
}

type chaos struct {
	*story
	before, all string
}

// run kills one verb at every record, as each step begins and at random moments.
func (c *chaos) run(verb string, count *toll, random int, everyRecord bool) {
	c.t.Helper()
	took, records, steps := c.measure(verb)
	if everyRecord {
		for n := 1; n <= records; n++ {
			count.atRecords++
			if !c.once(verb, fmt.Sprintf("record=%d", n), count) {
				c.t.Errorf("%s: nobody died at record %d of %d", count.name, n, records)
			}
		}
		for n := 1; n <= steps; n++ {
			count.atSteps++
			if !c.once(verb, fmt.Sprintf("step=%d", n), count) {
				c.t.Errorf("%s: nobody died at step %d of %d", count.name, n, steps)
			}
		}
	}
	// A run that was done before its moment came was faster than the measured one.
	for tries := 0; count.atRandom < random && tries < 20*random; tries++ {
		if c.once(verb, fmt.Sprintf("microseconds=%d", rand.Int64N(took.Microseconds())+1), count) {
			count.atRandom++
		} else {
			took = took * 9 / 10
		}
	}
	if count.atRandom < random {
		c.t.Errorf("%s: only %d of %d died in time", count.name, count.atRandom, random)
	}
}

// measure runs a verb undisturbed: how long it takes, how many records of the
// journal it writes, and of how many steps it tells.
func (c *chaos) measure(verb string) (took time.Duration, records, steps int) {
	c.t.Helper()
	if verb == "undo" {
		c.inBatches()
	}
	before := c.records()
	start := time.Now()
	died, out := c.strike(verb, "step=1000000")
	if died {
		c.t.Fatal(out)
	}
	took, records, steps = time.Since(start), c.records()-before, strings.Count(out, stepTold)
	c.undo()
	return took, records, steps
}

// inBatches applies in batches so small that there are several.
func (c *chaos) inBatches() {
	c.t.Helper()
	if _, err := c.try(Options{Batch: 3}); err != nil {
		c.t.Fatal(full(err))
	}
}

func (c *chaos) records() int {
	raw, err := os.ReadFile(filepath.Join(c.opened.Dir, plan.Journal))
	if os.IsNotExist(err) {
		return 0
	} else if err != nil {
		c.t.Fatal(err)
	}
	return strings.Count(string(raw), "\n")
}

// once kills a run at a point, looks at what it left, goes on or back, and ends
// where it began.
func (c *chaos) once(verb, at string, count *toll) (died bool) {
	c.t.Helper()
	if verb == "undo" {
		c.inBatches()
	}
	died, _ = c.strike(verb, at)
	if died {
		count.kills++
		time.Sleep(20 * time.Millisecond) // the server rolls back what the dead had in hand
		if all := c.everywhere(); all != c.all {
			count.lost++
			c.t.Errorf("%s %s: rows are lost: %s", count.name, at, cmp.Diff(c.all, all))
		}
	}
	if rand.IntN(2) == 0 { // forth, then back
		patiently(c.t, func() (*Result, error) { return c.try(Options{Batch: 3}) })
		for _, check := range c.verify().Checks {
			if !check.OK {
				count.touched++
				c.t.Errorf("%s %s: %s: %s", count.name, at, check.Name, check.Detail)
			}
		}
	}
	patiently(c.t, c.tryUndo)
	if diff := cmp.Diff(c.before, c.dump()); diff != "" {
		c.t.Fatalf("%s %s: not as it was: %s", count.name, at, diff)
	}
	if died {
		count.resumed++
	}
	return died
}

// everywhere is every row of the table and of the quarantine.
func (c *chaos) everywhere() string {
	c.t.Helper()
	rows := "SELECT o::text AS row_text FROM orders AS o"
	if c.text("SELECT to_regclass('twinrow_quarantine') IS NOT NULL") == "t" {
		rows += " UNION ALL SELECT q.row_text FROM twinrow_quarantine AS q"
	}
	return c.text("SELECT string_agg(r.row_text, E'\\n' ORDER BY r.row_text) FROM (" + rows + ") AS r")
}

// TestServerCrashInTheMiddle loses the server between two batches, forth and back.
func TestServerCrashInTheMiddle(t *testing.T) {
	server := pgserver.Start(t, "fsync=on")
	url := server.Database(t)
	s := shopCase(t, url, plan.Online, plan.IndexRule{})
	before := s.dump()
	crash := func(run func(*story, Options) (*Result, error)) {
		t.Helper()
		crashed := false
		_, err := run(s, Options{Batch: 3, Progress: afterRows{func() {
			if !crashed {
				crashed = true
				server.Crash(t)
			}
		}}})
		wantCode(t, err, plan.CodeConnection, "the server went away")
		server.Restart(t)
	}
	crash((*story).try)
	s.apply()
	wantOK(t, s.verify())
	crash((*story).tryUndoWith)
	s.undo()
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Fatal(diff)
	}
}
