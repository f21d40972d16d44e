package apply

import (
	"errors"

	"twinrow/remediate/plan"
)

// Unsettled tells whether a run left groups alone, or met new duplicates: what
// a rescan can settle.
func (r *Result) Unsettled() bool {
	for _, t := range r.Tables {
		if len(t.Drifted) > 0 || t.Arrived > 0 {
			return true
		}
	}
	return false
}

// Plus adds what a run before this one did.
func (r *Result) Plus(earlier *Result) {
	r.Already = r.Already && earlier.Already
	for _, e := range earlier.Tables {
		for i := range r.Tables {
			t := &r.Tables[i]
			if t.Name != e.Name {
				continue
			}
			t.Groups, t.Rows, t.Already = t.Groups+e.Groups, t.Rows+e.Rows, t.Already && e.Already
			t.LongestLockUS = max(t.LongestLockUS, e.LongestLockUS)
			t.Effects = sumEffects(t.Effects, e.Effects)
			t.count(sample{written: e.ByTriggers})
			if t.Index == "" {
				t.Index = e.Index
			}
		}
	}
}

// Settle forgets which groups drifted, once a rescan has taken them.
func (r *Result) Settle() {
	for i := range r.Tables {
		r.Tables[i].Drifted = []Drift{}
	}
}

// Rescanned writes down that what drifted or arrived was looked at again, and
// cleaned by a plan of its own: the next run goes on past it to the index.
func Rescanned(dir string) (err error) {
	l, err := openLog(dir, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	return l.write(eventRescanned, nil)
}

// settledOnly leaves of the work the groups that this case itself cleaned,
// where a rescan took care of the others.
func settledOnly(works []*plan.Work, l *log) {
	if !l.rescanned {
		return
	}
	for _, w := range works {
		cleaned := map[int]bool{}
		for _, d := range l.done[w.Name] {
			for _, g := range d.Groups {
				cleaned[g] = true
			}
		}
		var groups []plan.WorkGroup
		for _, g := range w.Groups {
			if cleaned[g.Number] {
				groups = append(groups, g)
			}
		}
		w.Groups = groups
	}
}
