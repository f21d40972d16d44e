package postgres

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// feed looks at the newest rows of a table, each time in a short transaction
// of its own, so that it never holds back vacuum.
type feed struct {
	config  *pgx.ConnConfig
	timeout time.Duration
	one     *session // nil until it is needed, and after an error

	table    *source.Table
	relation *relation
	newest   string
	// groups takes the mark and seen, whole has no lower bound.
	groups, whole string
	// slow says that the column has no index, "" where it has one; keyless is
	// true where the key has none.
	slow    string
	keyless bool
	// seen is the oldest transaction whose rows the last look may have missed,
	// "" before it: keys of rows that only older ones wrote are settled.
	seen string
	// greatest is the newest value that Newest told last.
	greatest string

	// forgetful is true where no index finds a key's other rows, and recall what
	// is remembered of them then, nil for nothing.
	forgetful bool
	recall    *recall
	source    *Source // until Remember is done, or is not asked for
	// unique is true where no two rows have the same id, rangeless where the
	// server cannot read a range of blocks by itself.
	unique, rangeless bool
	// recent is the condition that rows are new, picked a statement that groups
	// rows at given places.
	recent, picked string
}

var _ source.Follower = (*Source)(nil)

// Follow prepares to look at the rows whose column is at or above a mark.
func (s *Source) Follow(ctx context.Context, t *source.Table, column string) (source.Feed, error) {
	r, err := s.relation(t)
	if err != nil {
		return nil, err
	}
	indexes, err := s.main.rows(ctx, "watch_indexes", r.oid)
	if err != nil {
		return nil, explain(ctx, "reading the catalogue about "+t.Name, err)
	}
	f := &feed{config: s.config.Copy(), timeout: s.options.StatementTimeout, table: t, relation: r, source: s}
	f.config.RuntimeParams["application_name"] = "twinrow/watch"
	marked := r.column(column)
	f.newest = statement("watch_newest", "table", r.name, "alias", r.alias, "column", marked)
	form := "watch_indexed"
	keyless := !keyIndexed(indexes, t.Key)
	if keyless {
		form = "watch_whole"
	}
	if !columnIndexed(indexes, column) {
		f.slow = "no index begins with " + column + ", so each look reads the whole table to find the new rows"
	}
	recent := marked + " >= $1"
	if r.book == nil { // else rows may be in another server, or be a view's
		recent += " AND pg_catalog.age(" + r.alias + ".xmin) <= pg_catalog.age($2::pg_catalog.xid)"
	}
	f.recent, f.keyless = recent, keyless
	f.groups, f.whole = f.statement(form, recent, r.where), f.statement(form, "true", r.where)
	if !keyless || r.book != nil || s.Capabilities(t).FindsRepeats {
		return f, nil
	}
	f.forgetful, f.rangeless = true, s.server.number < rangesSince
	at := r.alias + ".ctid = ANY ($1::pg_catalog.tid[]) AND (" + r.alias + ".tableoid, " + r.alias + ".ctid) IN (SELECT * FROM ROWS FROM (pg_catalog.unnest($2::pg_catalog.oid[]), pg_catalog.unnest($1::pg_catalog.tid[])))"
	f.picked = f.statement("watch_whole", at, r.where+" AND "+at)
	unique, err := s.main.rows(ctx, "table_unique", r.oid)
	f.unique = (len(r.heaps) == 1 || r.heaps[0].oid != oidOf(r.oid)) && tellsApart(unique, t.ID)
	return f, explain(ctx, "reading the catalogue about "+t.Name, err)
}

// tellsApart tells whether one of a table's unique indexes forbids two rows
// with the same values of some columns.
func tellsApart(unique [][]string, columns []string) bool {
	forbids := map[string]bool{}
	for _, row := range unique {
		before, known := forbids[row[0]]
		forbids[row[0]] = (before || !known) && row[1] == "" && row[3] != "t" && row[4] == "t" && slices.Contains(columns, row[2])
	}
	return slices.Contains(slices.Collect(maps.Values(forbids)), true)
}

func columnIndexed(indexes [][]string, column string) bool {
	return slices.ContainsFunc(indexes, func(i []string) bool {
		return i[0] == column && i[1] != "t" && i[2] == "btree" && i[3] == ""
	})
}

// keyIndexed tells whether a key can be looked up: in a whole index, or in one
// of just the rows that the key speaks of.
func keyIndexed(indexes [][]string, k key.Key) bool {
	return slices.ContainsFunc(indexes, func(i []string) bool {
		leads := slices.ContainsFunc(k.Parts, func(p key.Part) bool {
			return p.Expression == (i[1] == "t") && (p.Text == i[0] || p.Expression && plain(p.Text) == plain(i[0]))
		})
		return leads && (i[2] == "btree" || i[2] == "hash") && (i[3] == "" || plain(i[3]) == plain(k.Where))
	})
}

func (f *feed) statement(form, recent, where string) string {
	r := f.relation
	same := make([]string, len(r.parts))
	for i, p := range r.parts {
		same[i] = p.sql + " = k." + partName(i)
		if r.equal {
			same[i] = "(" + same[i] + " OR " + p.sql + " IS NULL AND k." + partName(i) + " IS NULL)"
		}
	}
	values := (&fetch{relation: r, table: f.table}).list()
	for i := range values {
		values[i] += " AS twinrow_value_" + strconv.Itoa(i)
	}
	return statement(form, "alias", r.alias, "where", where, "parts", r.list(), "known", r.known(), "table", r.name, "recent", recent,
		"same", strings.Join(same, " AND "), "values", strings.Join(values, ", "), "most", strconv.Itoa(source.MostOfGroup))
}

// Newest returns the value that lies so many rows under the greatest.
func (f *feed) Newest(ctx context.Context, below int) (source.Mark, error) {
	var mark source.Mark
	err := f.ask(ctx, func() error {
		return f.one.stream(ctx, pgx.TextFormatCode, f.newest, []string{strconv.Itoa(below)}, func(fields [][]byte) error {
			mark.Text = string(fields[0])
			return nil
		})
	})
	if below == 0 && err == nil {
		f.greatest = mark.Text
	}
	return mark, err
}

// Groups hands on the rows of every repeated key among the rows from the mark
// on. A key is looked up again only once a later transaction wrote a row of it.
func (f *feed) Groups(ctx context.Context, from source.Mark, visit func(source.Row) error) error {
	if f.recall != nil {
		return f.recallGroups(ctx, from, visit)
	}
	sql, args := f.groups, []string{from.Text}
	if f.relation.book == nil {
		args = append(args, cmp.Or(f.seen, firstXID))
	}
	if from == (source.Mark{}) {
		sql, args = f.whole, nil
	}
	var oldest string
	err := f.ask(ctx, func() (err error) {
		if oldest, err = f.one.one(ctx, "watch_snapshot"); err != nil {
			return err
		}
		return f.groupsOf(ctx, sql, args, visit)
	})
	if err == nil {
		f.seen = xidOf(oldest)
	}
	return err
}

// groupsOf hands on the rows that a statement of watch_indexed or watch_whole
// finds.
func (f *feed) groupsOf(ctx context.Context, sql string, args []string, visit func(source.Row) error) error {
	read := &fetch{relation: f.relation, table: f.table}
	return f.one.stream(ctx, pgx.TextFormatCode, sql, args, func(fields [][]byte) error {
		row := source.Row{Group: int(number(string(fields[0])))}
		read.fillValues(&row, fields[2:])
		if err := visit(row); err != nil {
			return &refusal{err}
		}
		return nil
	})
}

// refusal is an error of the one who is shown the rows.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }

// firstXID is older than every transaction: its age is the greatest there is.
const firstXID = "2"

// xidOf is the number that rows carry of a transaction: without its epoch.
func xidOf(full string) string {
	n, err := strconv.ParseUint(full, 10, 64)
	if err != nil {
		return firstXID
	}
	return strconv.FormatUint(n&0xffffffff, 10)
}

// Slow says what no index helps with.
func (f *feed) Slow() (slow []string) {
	if f.keyless && f.recall == nil {
		slow = append(slow, "no index begins with a part of the key, so whenever there are new rows the whole table is read to compare them with")
	}
	if f.slow != "" {
		slow = append(slow, f.slow)
	}
	return slow
}

// Close ends the connection.
func (f *feed) Close() error {
	if f.one != nil {
		f.one.close()
		f.one = nil
	}
	return nil
}

// ask works in a transaction of its own. After an error the next question
// begins with a connection of its own.
func (f *feed) ask(ctx context.Context, work func() error) error {
	err := f.within(ctx, work)
	if err != nil {
		_ = f.Close()
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		return refused.error
	}
	if errors.Is(err, errNoRoom) {
		return err
	}
	return explain(ctx, "looking at the new rows of "+f.table.Name, err)
}

func (f *feed) within(ctx context.Context, work func() error) (err error) {
	if f.one == nil {
		if f.one, err = connect(ctx, f.config); err != nil {
			return err
		}
	}
	if err := f.one.do(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return err
	}
	if err := f.one.settle(ctx, f.timeout, "off"); err != nil {
		return err
	}
	if err := work(); err != nil {
		return err
	}
	return f.one.do(ctx, "ROLLBACK")
}
