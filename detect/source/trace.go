package source

import "context"

// Tracer is a Referrer that can follow foreign keys from table to table.
type Tracer interface {
	Referrer
	// Referring hands on where each row of k.Table lies that refers by k, which
	// is one of the table's IncomingKeys, to a row at the locators.
	Referring(ctx context.Context, t *Table, k ForeignKey, locators []uint64, visit func(locator uint64, place string)) error
	// KeysTo are the foreign keys that refer to a table, as its catalogue has them.
	KeysTo(ctx context.Context, table string) ([]ForeignKey, error)
	// Further does as Referring does, from the rows of any table at the places:
	// row is the place's number among them.
	Further(ctx context.Context, table string, k ForeignKey, places []string, visit func(row int, place string)) error
}

// Reached is what hangs on rows that refer to one row.
type Reached struct {
	Locator uint64
	// Key is the foreign key by which Rows, of Key.Table, hang on it.
	Key  ForeignKey
	Rows int64
}

// traced is a row that hangs on the row at a locator.
type traced struct {
	locator      uint64
	table, place string
}

// Beneath follows what would happen if all rows that refer by k to the rows at
// the locators were deleted: it counts, over all levels, the rows that refer to
// those, and goes on from those that a foreign key would delete in turn. A row
// that is come to again is not counted twice, which ends cycles.
func Beneath(ctx context.Context, src Tracer, t *Table, k ForeignKey, locators []uint64) ([]Reached, error) {
	w := &trace{ctx: ctx, src: src, seen: map[traced]bool{}, at: map[uint64]map[string]int{}, keys: map[string][]ForeignKey{}}
	var front []traced
	err := src.Referring(ctx, t, k, locators, func(locator uint64, place string) {
		row := traced{locator, k.Table, place}
		front = append(front, row)
		w.seen[row] = true
	})
	for next := map[string][]traced{k.Table: front}; err == nil && len(next) > 0; {
		next, err = w.level(next)
	}
	return w.found, err
}

// trace is one walk.
type trace struct {
	ctx  context.Context
	src  Tracer
	seen map[traced]bool
	keys map[string][]ForeignKey
	// at are the places in found, by locator and key.
	at    map[uint64]map[string]int
	found []Reached
}

// level goes one level on, from the rows of some tables; it returns those that
// are to be gone on from.
func (w *trace) level(front map[string][]traced) (map[string][]traced, error) {
	next := map[string][]traced{}
	for table, rows := range front {
		if len(rows) == 0 {
			continue
		}
		keys, known := w.keys[table]
		if !known {
			var err error
			if keys, err = w.src.KeysTo(w.ctx, table); err != nil {
				return nil, err
			}
			w.keys[table] = keys
		}
		places := make([]string, len(rows))
		for i, row := range rows {
			places[i] = row.place
		}
		for _, k := range keys {
			err := w.src.Further(w.ctx, table, k, places, func(row int, place string) {
				here := traced{rows[row].locator, k.Table, place}
				if w.seen[here] {
					return
				}
				w.seen[here] = true
				w.count(here.locator, k)
				if k.OnDelete == "cascade" {
					next[k.Table] = append(next[k.Table], here)
				}
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return next, nil
}

func (w *trace) count(locator uint64, k ForeignKey) {
	of := w.at[locator]
	if of == nil {
		of = map[string]int{}
		w.at[locator] = of
	}
	name := k.Table + "\x00" + k.Name
	i, known := of[name]
	if !known {
		i = len(w.found)
		of[name] = i
		w.found = append(w.found, Reached{Locator: locator, Key: k})
	}
	w.found[i].Rows++
}
