package classify

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

// at is a moment of the test's day, with microseconds that no round value has.
func at(ms float64) time.Time {
	return time.Date(2025, 12, 24, 3, 20, 37, 1000, time.UTC).Add(time.Duration(ms * float64(time.Millisecond)))
}

// written is a row of a transaction that began and committed at moments in
// milliseconds; a negative commit is one that was not kept.
func written(began, committed float64, xid string, by casefile.WrittenBy) Evidence {
	e := Evidence{At: &source.Instant{Time: at(began), Digits: 6, Zoned: true}, Writer: &source.Writer{XID: xid}, By: by, How: "told by the test"}
	if committed >= 0 {
		e.Writer.Committed = at(committed)
	}
	return e
}

var kept = Facts{Windows: DefaultWindows, Step: time.Microsecond, Writes: source.WritesStart, KeepsTimes: true, Comparable: true}

func TestWhatTransactionsProve(t *testing.T) {
	const insert, update, bulk, unknown = casefile.ByInsert, casefile.ByUpdate, casefile.ByBulk, casefile.ByUnknown
	statement := kept
	statement.Writes = source.WritesStatement
	seconds := kept
	seconds.Step = time.Second
	local := kept
	local.Comparable = false
	for _, c := range []struct {
		name     string
		facts    Facts
		rows     []Evidence
		class    casefile.Class
		strength casefile.Strength
		word     string
	}{
		{"overlap far apart", kept, []Evidence{written(0, 2500, "1", insert), written(2020, 2600, "2", insert)}, casefile.Race, casefile.Proven, "480 ms before the earlier one committed"},
		{"sequence near together", kept, []Evidence{written(0, 1, "1", insert), written(2.3, 9, "2", insert)}, casefile.Resubmit, casefile.Proven, "1.3 ms after the earlier one had committed"},
		{"sequence stays proven after an update", kept, []Evidence{written(0, 5, "1", update), written(9, 12, "2", bulk)}, casefile.Race, casefile.Likely, "9 ms apart"},
		{"sequence after an update of the first", kept, []Evidence{written(0, 5, "1", update), written(9, 12, "2", insert)}, casefile.Resubmit, casefile.Proven, "had committed"},
		{"overlap with what may be an update", kept, []Evidence{written(0, 30, "1", unknown), written(20, 40, "2", insert)}, casefile.Race, casefile.Likely, "before the commit that the earlier row carries"},
		{"a restore", kept, []Evidence{written(0, 3.6e6, "9", bulk), written(20, 3.6e6, "9", bulk)}, casefile.Race, casefile.Likely, "20 ms apart"},
		{"overlap with a row before the one before", kept, []Evidence{written(0, 100, "1", insert), written(10, 20, "2", insert), written(30, 40, "3", insert)}, casefile.Race, casefile.Proven, "before the earlier one committed"},
		{"one transaction", kept, []Evidence{written(0, 5, "1", insert), written(0, 5, "1", insert)}, casefile.SameTransaction, casefile.Proven, "one transaction inserted both rows"},
		{"savepoints", kept, []Evidence{written(0, 5, "1", insert), written(0, 5, "2", insert)}, casefile.SameTransaction, casefile.Proven, "differ in savepoints"},
		{"one number, which may be an update's", kept, []Evidence{written(0, 50, "1", unknown), written(20, 50, "1", unknown)}, casefile.Race, casefile.Likely, "20 ms"},
		{"one start, no commits", Facts{Windows: DefaultWindows, Step: time.Microsecond, Writes: source.WritesStart}, []Evidence{written(0, -1, "1", insert), written(0, -1, "2", insert)}, casefile.SameTransaction, casefile.Likely, "the same to the microsecond"},
		{"statement clock, overlap", statement, []Evidence{written(0, 30, "1", insert), written(20, 40, "2", insert)}, casefile.Race, casefile.Proven, "overlapped"},
		{"statement clock, no overlap", statement, []Evidence{written(0, 10, "1", insert), written(20, 40, "2", insert)}, casefile.Race, casefile.Likely, "20 ms apart"},
		{"whole seconds show no overlap", seconds, []Evidence{written(0, 30, "1", insert), written(0, 40, "2", insert)}, casefile.Race, casefile.Possible, "0 s apart"},
		{"whole seconds show a long one", seconds, []Evidence{written(0, 9000, "1", insert), written(5000, 9900, "2", insert)}, casefile.Race, casefile.Proven, "overlapped"},
		{"whole seconds may round a minute and more down", seconds, []Evidence{written(0, 10, "1", insert), written(60_000, 60_010, "2", insert)}, casefile.Resubmit, casefile.Likely, "had committed"},
		{"a zone that is not known", local, []Evidence{written(0, 1, "1", insert), written(20, 40, "2", insert)}, casefile.Race, casefile.Likely, "20 ms apart"},
		{"hours apart", kept, []Evidence{written(0, 1, "1", insert), written(3.6e6, 3.6e6+1, "2", insert)}, casefile.Retry, casefile.Possible, "1 h apart"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := &casefile.Group{Rows: make([]casefile.Row, len(c.rows))}
			Group(g, c.rows, c.facts)
			if g.Class != c.class || g.Strength != c.strength || !strings.Contains(strings.Join(g.Reasons, "; "), c.word) {
				t.Errorf("got %s, %s, because %q (unknown %q)", g.Strength, g.Class, g.Reasons, g.Unknown)
			}
		})
	}
}

func TestAnApplicationsClockGivesWayToTheServers(t *testing.T) {
	own := kept
	own.Writes, own.Step = source.WritesApplication, time.Millisecond
	a, b := written(0, 5, "1", casefile.ByInsert), written(8000, 25, "2", casefile.ByInsert)
	g := &casefile.Group{Rows: make([]casefile.Row, 2)}
	Group(g, []Evidence{a, b}, own)
	if g.Class != casefile.Race || g.Strength != casefile.Likely || *g.Rows[1].GapUS != 8_000_000 {
		t.Errorf("got %s, %s, %d µs", g.Strength, g.Class, *g.Rows[1].GapUS)
	}
	if want := "committed 20 ms apart by the server's clock, within the race window of 1 s"; g.Reasons[0] != want {
		t.Errorf("got %q, want %q", g.Reasons[0], want)
	}
}

// A commit is not a moment apart from itself: without a time, a restore and one
// transaction look alike, and neither is a race.
func TestOneTransactionWithoutATimeIsNoRace(t *testing.T) {
	untimed := Facts{Windows: DefaultWindows, KeepsTimes: true}
	rows := []Evidence{written(0, 5, "1", casefile.ByInsert), written(0, 5, "1", casefile.ByInsert)}
	rows[0].At, rows[1].At = nil, nil
	g := &casefile.Group{Rows: make([]casefile.Row, 2)}
	Group(g, rows, untimed)
	if g.Class != casefile.UntimedClass || !strings.Contains(strings.Join(g.Unknown, "; "), "a restore or a copy") {
		t.Errorf("got %s, %s, because %q (unknown %q)", g.Strength, g.Class, g.Reasons, g.Unknown)
	}
	rows[1].Writer = &source.Writer{XID: "2", Committed: at(25)}
	g = &casefile.Group{Rows: make([]casefile.Row, 2)}
	Group(g, rows, untimed)
	if g.Class != casefile.Race || g.Strength != casefile.Likely {
		t.Errorf("two transactions: got %s, %s, because %q", g.Strength, g.Class, g.Reasons)
	}
}

func TestJudgeTellsWhatATransactionDid(t *testing.T) {
	yes, no := true, false
	with := func(e Evidence, change func(*Evidence)) *Evidence { change(&e); return &e }
	none := func(*Evidence) {}
	for _, c := range []struct {
		name  string
		facts Facts
		table Table
		rows  []*Evidence
		want  []casefile.WrittenBy
	}{
		{"never updated", kept, Table{Rows: 2, Transactions: source.Transactions{Inserted: 3, Deleted: 1}},
			[]*Evidence{with(written(0, 5, "1", ""), none), with(written(9, 12, "2", ""), none)}, []casefile.WrittenBy{casefile.ByInsert, casefile.ByInsert}},
		{"statistics began later", kept, Table{Rows: 5, Transactions: source.Transactions{Inserted: 3}},
			[]*Evidence{with(written(0, 5, "1", ""), none)}, []casefile.WrittenBy{casefile.ByUnknown}},
		{"statistics lag behind", kept, Table{Rows: 1, Now: at(30_000), Transactions: source.Transactions{Inserted: 1, Lagging: true}},
			[]*Evidence{with(written(0, 5, "1", ""), none)}, []casefile.WrittenBy{casefile.ByUnknown}},
		{"statistics lag behind, but not so far", kept, Table{Rows: 1, Now: at(90_000), Transactions: source.Transactions{Inserted: 1, Lagging: true}},
			[]*Evidence{with(written(0, 5, "1", ""), none)}, []casefile.WrittenBy{casefile.ByInsert}},
		{"a predicate hides rows", kept, Table{Rows: -1, Transactions: source.Transactions{Inserted: 3}},
			[]*Evidence{with(written(0, 5, "1", ""), none)}, []casefile.WrittenBy{casefile.ByUnknown}},
		{"flags", kept, Table{Rows: -1}, []*Evidence{
			with(written(0, 5, "1", ""), func(e *Evidence) { e.Writer.Updated = &yes }), with(written(9, 12, "2", ""), func(e *Evidence) { e.Writer.Updated = &no })},
			[]casefile.WrittenBy{casefile.ByUpdate, casefile.ByInsert}},
		{"updated_at", kept, Table{Rows: -1, UpdatedAt: "updated_at"}, []*Evidence{
			with(written(0, 5, "1", ""), func(e *Evidence) { e.UpdatedAt = e.At }), with(written(9, 12, "2", ""), func(e *Evidence) { e.UpdatedAt = &source.Instant{Time: at(5000)} })},
			[]casefile.WrittenBy{casefile.ByInsert, casefile.ByUpdate}},
		{"an updated_at that nobody keeps", kept, Table{Rows: -1, UpdatedAt: "updated_at"}, []*Evidence{
			with(written(0, 5, "1", ""), func(e *Evidence) { e.UpdatedAt = e.At })}, []casefile.WrittenBy{casefile.ByUnknown}},
		{"two commits in one microsecond", kept, Table{Rows: 2, Transactions: source.Transactions{Inserted: 2}},
			[]*Evidence{with(written(0, 40, "7", ""), none), with(written(20, 40, "8", ""), none)}, []casefile.WrittenBy{casefile.ByInsert, casefile.ByInsert}},
		{"a restore by one transaction", kept, Table{Rows: 2, Transactions: source.Transactions{Inserted: 2}},
			[]*Evidence{with(written(0, 9000, "7", ""), none), with(written(20, 9000, "7", ""), none)}, []casefile.WrittenBy{casefile.ByBulk, casefile.ByBulk}},
		{"a restore row by row", kept, Table{Rows: 2, Transactions: source.Transactions{Inserted: 2}},
			[]*Evidence{with(written(0, 8e7, "7", ""), none), with(written(20, 8e7+1, "8", ""), none)}, []casefile.WrittenBy{casefile.ByBulk, casefile.ByBulk}},
	} {
		t.Run(c.name, func(t *testing.T) {
			Judge(c.rows, c.facts, c.table)
			var got []casefile.WrittenBy
			for _, e := range c.rows {
				got = append(got, e.By)
				if e.How == "" {
					t.Error("it does not say how")
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestADefaultThatNobodyUsesIsTheApplications(t *testing.T) {
	e, err := source.ParseInstant("2025-12-24 03:20:37.914+00")
	if err != nil {
		t.Fatal(err)
	}
	f := Facts{Windows: DefaultWindows, Step: time.Millisecond}
	c := Clock([][]Evidence{{{At: &e}, {At: &e}}}, &f, source.Transactions{Writes: source.WritesStart, Default: "now()"}, "timestamp with time zone", e.Time)
	if c.Writes != source.WritesApplication || f.Writes != source.WritesApplication {
		t.Errorf("got %q, %q", c.Writes, c.Says)
	}
	f = Facts{Windows: DefaultWindows, Step: time.Second}
	if c := Clock([][]Evidence{{{At: &e}, {At: &e}}}, &f, source.Transactions{Writes: source.WritesStart, Default: "now()"}, "timestamp(0) with time zone", e.Time); c.Writes != source.WritesStart {
		t.Errorf("a column of whole seconds: got %q, %q", c.Writes, c.Says)
	}
}

func TestClockCountsWhatIsOdd(t *testing.T) {
	now := at(0)
	var rows []Evidence
	for i, text := range []string{"1912-04-15", "2025-01-01 00:00:00.5", "2025-01-01 00:00:00.500000+02", "2025-01-01T00:00:02Z", "2999-01-01", "infinity", "", "later"} {
		e := Evidence{Value: source.Value{Text: text, Null: text == ""}, ID: new(int64(-i))}
		if parsed, err := source.ParseInstant(text); err == nil {
			e.At = &parsed
		}
		rows = append(rows, e)
	}
	f := Facts{Windows: DefaultWindows, Step: time.Microsecond}
	got := Clock([][]Evidence{rows}, &f, source.Transactions{}, "text", now)
	got.Says = nil
	want := &casefile.Clock{Writes: "unknown", StepUS: 1, Pairs: 4, OutOfOrder: 3, Formats: 4, Zoneless: 3, Zoned: 2, Future: 1, Before1970: 1, Infinite: 1, Null: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !f.Disordered {
		t.Error("ids against times point to several clocks")
	}
}
