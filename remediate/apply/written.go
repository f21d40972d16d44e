package apply

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"twinrow/remediate/plan"
)

// Written is what triggers and rules add to a table that the plan does not
// change, as a rehearsal showed it.
type Written struct {
	// Entry is the plan's entry whose rows are cleaned.
	Entry string `json:"entry"`
	// Table is the one written to.
	Table string `json:"table"`
	// Foretold says in words how many rows: "1 row for each row that goes".
	Foretold string `json:"foretold"`
}

// sample is one transaction of a rehearsal.
type sample struct {
	groups []int
	// rows is how many rows went; planned is what the plan did, written what
	// was added beside, by table.
	rows    int
	planned effects
	written map[string]int64
}

// newSample parts effects into what the plan does and what came beside.
func newSample(w *plan.Work, groups []int, rows int, did map[string]plan.Effect) sample {
	s := sample{groups: groups, rows: rows, planned: effects{}, written: map[string]int64{}}
	for name, e := range did {
		if inPlan(w, name) {
			s.planned[name] = e
		} else {
			s.written[name] = e.Inserted
		}
	}
	return s
}

// count adds what came beside the plan.
func (t *TableResult) count(s sample) {
	for name, rows := range s.written {
		if t.ByTriggers == nil {
			t.ByTriggers = map[string]int64{}
		}
		t.ByTriggers[name] += rows
	}
}

// inPlan tells whether the plan changes rows of a table.
func inPlan(w *plan.Work, name string) bool {
	return name == w.Table.Table || slices.ContainsFunc(w.References, func(r plan.Reference) bool { return r.Table == name && r.Rows > 0 })
}

// feature is a count that a trigger for each row may go by.
type feature struct {
	words string
	of    func(sample) int64
}

// features are the counts of a sample, the likeliest first.
func (s sample) features() []feature {
	all := []feature{{"row that goes", func(s sample) int64 { return int64(s.rows) }}}
	for _, name := range slices.Sorted(maps.Keys(s.planned)) {
		all = append(all,
			feature{"row of " + name + " that is updated", func(s sample) int64 { return s.planned[name].Updated }},
			feature{"row of " + name + " that is deleted", func(s sample) int64 { return s.planned[name].Deleted }},
			feature{"row of " + name + " that changes", func(s sample) int64 { return s.planned[name].Updated + s.planned[name].Deleted }})
	}
	return all
}

// law says how many rows are added to one table in one transaction: each for
// each of the feature, and once beside.
type law struct {
	feature
	each, once int64
}

func (l law) foretells(s sample) int64 { return l.each*l.of(s) + l.once }

func (l law) String() string {
	var parts []string
	if l.each > 0 {
		parts = append(parts, plan.Count(int(l.each), "row")+" for each "+l.words)
	}
	if l.once > 0 {
		parts = append(parts, plan.Count(int(l.once), "row")+" in each transaction")
	}
	if len(parts) == 0 {
		return "no row"
	}
	return strings.Join(parts, " and ")
}

// lawOf finds a law by which all samples go; nil where there is none, as where
// a trigger goes by what stands in a row.
func lawOf(samples []sample, table string) *law {
	for _, f := range samples[len(samples)-1].features() {
		for _, s := range samples[1:] {
			l, ok := through(samples[0], s, f, table)
			if !ok {
				continue
			}
			if !slices.ContainsFunc(samples, func(s sample) bool { return l.foretells(s) != s.written[table] }) {
				return &l
			}
			break
		}
	}
	return nil
}

// through is the law of two samples that differ in the feature.
func through(a, b sample, f feature, table string) (law, bool) {
	more, written := f.of(b)-f.of(a), b.written[table]-a.written[table]
	if more == 0 || written%more != 0 {
		return law{}, false
	}
	l := law{feature: f, each: written / more}
	l.once = a.written[table] - l.each*f.of(a)
	return l, l.each >= 0 && l.once >= 0
}

// rehearsed is what a rehearsal showed of one entry.
type rehearsed struct {
	samples []sample
	laws    map[string]*law
}

func newRehearsed(samples []sample) *rehearsed {
	r := &rehearsed{samples: samples, laws: map[string]*law{}}
	for _, s := range samples {
		for table := range s.written {
			if _, known := r.laws[table]; !known {
				r.laws[table] = lawOf(samples, table)
			}
		}
	}
	return r
}

// foretold says in words what is written to each table.
func (r *rehearsed) foretold(w *plan.Work) []Written {
	var all []Written
	for _, table := range slices.Sorted(maps.Keys(r.laws)) {
		whole := slices.MaxFunc(r.samples, func(a, b sample) int { return len(a.groups) - len(b.groups) })
		words := fmt.Sprintf("%s for %s that go, which hangs on the rows: how many more come cannot be foretold", plan.Count(int(whole.written[table]), "row"), plan.Count(whole.rows, "row"))
		switch l := r.laws[table]; {
		case len(whole.groups) == len(w.Groups):
			words = fmt.Sprintf("%s for all %s that go", plan.Count(int(whole.written[table]), "row"), plan.Count(whole.rows, "row"))
		case l != nil:
			words = l.String()
		}
		all = append(all, Written{Entry: w.Name, Table: table, Foretold: words})
	}
	return all
}

// otherwise says what triggers added in a transaction otherwise than the
// rehearsal foretold, "" for nothing. Where that told no law, any number may
// come, but to no other table.
func (r *rehearsed) otherwise(s sample) string {
	same := slices.IndexFunc(r.samples, func(o sample) bool { return slices.Equal(o.groups, s.groups) })
	tables := maps.Clone(s.written)
	for table := range r.laws {
		tables[table] += 0
	}
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		l, known := r.laws[table]
		want := int64(0)
		switch {
		case same >= 0:
			want = r.samples[same].written[table]
		case known && l == nil:
			continue
		case known:
			want = l.foretells(s)
		}
		if got := s.written[table]; got != want {
			return fmt.Sprintf("triggers added %s to %s for %s that went, and the rehearsal foretold %d", plan.Count(int(got), "row"), table, plan.Count(s.rows, "row"), want)
		}
	}
	return ""
}
