package scan

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"twinrow/detect/source"
)

// engine scans one table.
type engine struct {
	src   source.Source
	table *source.Table
	way   source.Capabilities
	opts  Options
	// entries are all of the scan, this one among them.
	entries []inspected

	count  source.Count
	passes uint64
	groups []*candidate
	// same are values that only look different from their group's first row's.
	same map[sameAs]bool
	// unknown says what the source could not tell beside the groups.
	unknown []string
}

// fetchRows is how many candidate rows are read by one call: enough that the
// round trip does not count, little enough that the database sorts them in memory.
const fetchRows = 4000

// find fills count and groups.
func (e *engine) find(ctx context.Context) error {
	if e.way.FindsRepeats {
		return e.findBySource(ctx)
	}
	// Each pass holds its share of the fingerprints. Where a share is larger
	// than foreseen, the table is read again in twice as many passes.
	for passes := e.foreseenPasses(); ; passes *= 2 {
		err := e.findInPasses(ctx, passes)
		if !errors.Is(err, errFull) {
			e.passes = passes
			return err
		}
		e.groups, e.count = nil, source.Count{}
	}
}

var errFull = errors.New("the fingerprints do not fit into the memory given")

func (e *engine) foreseenPasses() uint64 {
	needed := e.table.EstimatedRows * slotBytes * 100 / fullness
	return uint64(needed/e.opts.Memory) + 1
}

func (e *engine) findInPasses(ctx context.Context, passes uint64) error {
	for i := range passes {
		clusters, count, err := e.fingerprint(ctx, source.Pass{Index: i, Of: passes})
		if err != nil {
			return err
		}
		e.count = count
		if clusters, err = e.place(ctx, clusters); err != nil {
			return err
		}
		if err := e.fetch(ctx, clusters); err != nil {
			return err
		}
	}
	return nil
}

// fingerprint reads the table once and returns the clusters of the pass.
func (e *engine) fingerprint(ctx context.Context, pass source.Pass) ([][]uint64, source.Count, error) {
	for {
		clusters, count, err := e.fingerprintOnce(ctx, pass)
		if !errors.Is(err, source.ErrAgain) {
			return clusters, count, err
		}
	}
}

func (e *engine) fingerprintOnce(ctx context.Context, pass source.Pass) ([][]uint64, source.Count, error) {
	seen := newRepeats(e.table.EstimatedRows/int64(max(pass.Of, 1))*21/20, e.opts.Memory)
	label := "reading " + e.table.Name
	if pass.Of > 1 {
		label += fmt.Sprintf(", pass %d of %d", pass.Index+1, pass.Of)
	}
	e.opts.Progress.Start(label, e.table.EstimatedRows/int64(max(pass.Of, 1)))
	defer e.opts.Progress.Done()
	count, err := e.src.Prints(ctx, e.table, pass, func(prints []source.Print) error {
		e.opts.Progress.Add(int64(len(prints)))
		for i, p := range prints {
			if e.opts.narrow != 0 {
				prints[i].Hash &= e.opts.narrow
			}
			if p.Locator >= locatorLimit {
				return fmt.Errorf("locator %d of %s is over 48 bits", p.Locator, e.table.Name)
			}
		}
		if seen.addAll(prints) < len(prints) {
			return errFull
		}
		return nil
	})
	return seen.drain(), count, err
}

// place finds the rows of the clusters where the source only knows about
// where they are.
func (e *engine) place(ctx context.Context, clusters [][]uint64) ([][]uint64, error) {
	if !e.way.Vague {
		return clusters, nil
	}
	placer, ok := e.src.(source.Placer)
	if !ok {
		return nil, fmt.Errorf("the source of %s says that it must look for its rows again, but cannot", e.table.Name)
	}
	return placer.Place(ctx, e.table, slices.Concat(clusters...))
}

func (e *engine) findBySource(ctx context.Context) error {
	finder, ok := e.src.(source.Finder)
	if !ok {
		return fmt.Errorf("the source of %s says that it finds repeated keys, but cannot", e.table.Name)
	}
	e.opts.Progress.Start("reading "+e.table.Name, 0)
	var clusters [][]uint64
	count, err := finder.Repeats(ctx, e.table, func(cluster []uint64) error {
		clusters = append(clusters, append([]uint64(nil), cluster...))
		return nil
	})
	e.opts.Progress.Done()
	if err != nil {
		return err
	}
	e.count, e.passes = count, 1
	return e.fetch(ctx, clusters)
}

// fetch reads the clusters' rows, some whole clusters at a time.
func (e *engine) fetch(ctx context.Context, clusters [][]uint64) error {
	var batch []uint64
	for i, cluster := range clusters {
		batch = append(batch, cluster...)
		if len(batch) < fetchRows && i < len(clusters)-1 {
			continue
		}
		if err := e.fetchBatch(ctx, batch); err != nil {
			return err
		}
		batch = batch[:0]
	}
	return nil
}

// fetchBatch keeps the groups of two rows and more.
func (e *engine) fetchBatch(ctx context.Context, locators []uint64) error {
	var current *candidate
	keep := func() {
		if current != nil && len(current.rows) > 1 {
			e.groups = append(e.groups, current)
		}
	}
	err := e.src.Fetch(ctx, e.table, locators, func(row source.Row) error {
		if current == nil || current.number != row.Group {
			keep()
			current = &candidate{number: row.Group}
		}
		current.rows = append(current.rows, row)
		return nil
	})
	keep()
	return err
}
