package sqlite

import (
	"context"
	"errors"
	"hash/maphash"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/source"
)

// batchSize is how many fingerprints are handed on at once.
const batchSize = 4096

// pacedRows are read before the pace is asked: few, because rows may be wide.
const pacedRows = 64

var errNotInspected = errors.New("the table was not inspected by this source")

// Prints reads every row in the table's own order.
func (s *Source) Prints(ctx context.Context, t *source.Table, pass source.Pass, visit func([]source.Print) error) (source.Count, error) {
	done, err := s.interruptible(ctx)
	if err != nil {
		return source.Count{}, err
	}
	defer done()
	p := s.plans[t]
	if p == nil || p.way.FindsRepeats {
		return source.Count{}, errors.Join(errNotInspected, errors.New("or its rows have no locators"))
	}
	r := printing{ctx: ctx, source: s, plan: p, pass: pass, visit: visit, batch: make([]source.Print, 0, batchSize)}
	query := statement("prints", "table", p.from, "rowid", p.identity[0], "key", strings.Join(p.key, ", "), "where", p.where)
	err = run(s.conn, query, r.row)
	if err == nil {
		err = r.flush()
	}
	return r.count, s.problem(ctx, "reading "+t.Name, err)
}

// printing is one reading of a table.
type printing struct {
	ctx    context.Context // of the one call of Prints
	source *Source
	plan   *plan
	pass   source.Pass
	visit  func([]source.Print) error
	batch  []source.Print
	count  source.Count
	buf    []byte
	paid   int64 // bytes that the pace was told of
}

func (r *printing) row(stmt *sqlite.Stmt) error {
	if r.count.Rows++; r.count.Rows%pacedRows == 0 {
		if err := r.wait(stmt.ColumnInt64(0)); err != nil {
			return err
		}
	}
	r.buf = r.buf[:0]
	anyNull := false
	for i := range r.plan.key {
		var null bool
		r.buf, null = appendKeyValue(r.buf, stmt, i+1, r.source.utf16)
		anyNull = anyNull || null
	}
	if anyNull && !r.plan.nullsEqual {
		r.count.NullKeys++
		return nil
	}
	hash := maphash.Bytes(r.source.seed, r.buf)
	if !r.pass.Holds(hash) {
		return nil
	}
	r.batch = append(r.batch, source.Print{Hash: hash, Locator: uint64(stmt.ColumnInt64(0)) - uint64(r.plan.base)})
	if len(r.batch) == cap(r.batch) {
		return r.flush()
	}
	return nil
}

// wait holds the reading back. How much was read shows in how far the rowids
// have come of all that there are.
func (r *printing) wait(rowid int64) error {
	if r.source.pace == nil || r.plan.span == 0 {
		return nil
	}
	come := float64(uint64(rowid)-uint64(r.plan.base)) / float64(r.plan.span) * float64(r.source.bytes)
	err := r.source.pace.Spend(r.ctx, int64(come)-r.paid)
	r.paid = int64(come)
	return err
}

func (r *printing) flush() error {
	if len(r.batch) == 0 {
		return nil
	}
	err := r.visit(r.batch)
	r.batch = r.batch[:0]
	return visited(err)
}
