package pgrandom

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"twinrow/detect/source"
)

// Table is a random table and what to look for in it.
type Table struct {
	// Create makes and fills the table; each of Then is a statement to be run
	// by itself afterwards.
	Create string
	Then   []string
	// Request names the table, whose rows are told apart by the column id.
	Request source.Request
	// Traits says in words what is in the table and in what is looked for, each
	// once: the kinds of the key's columns, how many there are, the form.
	Traits []string
}

// column is one column of a table in the making.
type column struct {
	name string
	kind Kind
}

// Make makes a table of the name given for a server of the major version.
func Make(random *rand.Rand, name string, version int) Table {
	m := maker{random: random, name: name, version: version, kinds: Kinds(version)}
	m.choose()
	t := Table{Request: m.request()}
	form := forms()[random.IntN(len(forms()))]
	t.Create = m.create(form)
	t.Then = m.after(t.Request.Key)
	t.Traits = slices.Compact(slices.Sorted(slices.Values(append(m.traits, "form: "+form.name))))
	return t
}

type maker struct {
	random  *rand.Rand
	name    string
	version int
	kinds   []Kind
	columns []column
	traits  []string
	rows    int
	fresh   float64 // the share of values that no other row has
}

// choose settles columns and size: mostly small tables, some of several
// thousand rows, which do not fit the least memory or a small server's cache.
func (m *maker) choose() {
	for i := range 1 + m.random.IntN(10) {
		kind := m.kinds[m.random.IntN(len(m.kinds))]
		if !kind.Hashed(m.version) && m.random.IntN(3) > 0 { // one such part is enough to change the way
			kind = m.kinds[m.random.IntN(len(m.kinds))]
		}
		m.columns = append(m.columns, column{fmt.Sprintf("c%d", i), kind})
	}
	m.rows = m.random.IntN(300)
	m.fresh = []float64{0, 0.5, 0.95}[m.random.IntN(3)]
	if m.random.IntN(12) == 0 {
		m.columns, m.rows, m.fresh = m.columns[:1], 3000+m.random.IntN(4000), 0.98
	}
}

// request chooses a key of up to eight parts, a predicate and a NULL policy.
func (m *maker) request() source.Request {
	req := source.Request{Table: m.name, ID: []string{"id"}, NullsEqual: m.random.IntN(2) == 0}
	for _, i := range m.random.Perm(len(m.columns))[:1+m.random.IntN(min(8, len(m.columns)))] {
		part := m.columns[i].name
		if m.random.IntN(4) == 0 {
			part = m.expression(m.columns[i])
			m.traits = append(m.traits, "key: an expression")
		} else {
			m.traits = append(m.traits, "column: "+m.columns[i].kind.Type)
		}
		req.Key = append(req.Key, part)
	}
	m.traits = append(m.traits, fmt.Sprintf("key: %d parts", len(req.Key)), fmt.Sprintf("NULLs equal: %v", req.NullsEqual))
	column := m.columns[m.random.IntN(len(m.columns))].name
	switch m.random.IntN(6) {
	case 0:
		req.Where = "id % 3 <> 0 -- to the end"
	case 1:
		req.Where = column + " IS NOT NULL OR id < 50 /* ) */"
	case 2:
		req.Where = "id IN (SELECT id FROM " + m.name + " WHERE id % 2 = 0)"
	}
	if req.Where != "" {
		m.traits = append(m.traits, "key: a predicate")
	}
	return req
}

func (m *maker) expression(c column) string {
	all := append([]string{"(%s IS NULL)", "coalesce(%[1]s, %[1]s)", "ROW(%s, id %% 2)"}, c.kind.Exprs...)
	// A row value has a hash since 14, and an order only if its parts have one.
	return fmt.Sprintf(all[m.random.IntN(len(all))], c.name)
}

// form is what a table can be.
type form struct {
	name string
	// sql has {columns} for the list of columns, {reversed} for its reverse.
	sql string
	// into are the tables that take rows, none for the table itself.
	into []string
	// after is run when the rows are in.
	after string
}

func forms() []form {
	return []form{
		{name: "plain", sql: "CREATE TABLE {t} ({columns});"},
		{name: "primary key", sql: "CREATE TABLE {t} ({columns}, PRIMARY KEY (id));"},
		{name: "unlogged", sql: "CREATE UNLOGGED TABLE {t} ({columns});"},
		{name: "dropped columns", sql: "CREATE TABLE {t} (gone text, {columns}, gone2 int); ALTER TABLE {t} DROP COLUMN gone, DROP COLUMN gone2;"},
		{name: "partitions", sql: "CREATE TABLE {t} ({columns}) PARTITION BY HASH (id);" + parts("{t}", "FOR VALUES WITH (MODULUS 3, REMAINDER %d)")},
		// Partitions of partitions, one of them with another order of columns.
		{name: "partitions of partitions", sql: "CREATE TABLE {t} ({columns}) PARTITION BY LIST (id); CREATE TABLE {t}_rest PARTITION OF {t} DEFAULT PARTITION BY HASH (id);" +
			parts("{t}_rest", "FOR VALUES WITH (MODULUS 3, REMAINDER %d)") +
			"CREATE TABLE {t}_odd (gone int, {reversed}); ALTER TABLE {t}_odd DROP COLUMN gone; ALTER TABLE {t} ATTACH PARTITION {t}_odd FOR VALUES IN (1, 2, 3, 5, 8, 13);"},
		{
			name: "inheritance",
			sql:  "CREATE TABLE {t} ({columns}); CREATE TABLE {t}_a () INHERITS ({t}); CREATE TABLE {t}_b (more int) INHERITS ({t}); CREATE TABLE {t}_c () INHERITS ({t}_a, {t}_b);",
			into: []string{"{t}", "{t}_a", "{t}_b", "{t}_c"},
		},
		{
			name:  "materialized view",
			sql:   "CREATE TABLE {t}_under ({columns}); CREATE MATERIALIZED VIEW {t} AS SELECT * FROM {t}_under WITH NO DATA;",
			into:  []string{"{t}_under"},
			after: "REFRESH MATERIALIZED VIEW {t};",
		},
		{name: "view", sql: "CREATE TABLE {t}_under ({columns}, PRIMARY KEY (id)); CREATE VIEW {t} AS SELECT * FROM {t}_under;"},
	}
}

func parts(parent, bounds string) string {
	var b strings.Builder
	for i := range 3 {
		b.WriteString("CREATE TABLE " + parent + "_" + fmt.Sprint(i) + " PARTITION OF " + parent + " " + fmt.Sprintf(bounds, i) + ";")
	}
	return b.String()
}

// create writes out the form and its rows.
func (m *maker) create(f form) string {
	list, names := []string{"id int8"}, []string{"id"}
	for _, c := range m.columns {
		list, names = append(list, c.name+" "+c.kind.Type), append(names, c.name)
	}
	columns := strings.Join(list, ", ")
	slices.Reverse(list)
	into := append(f.into, "{t}")[:max(1, len(f.into))]
	var b strings.Builder
	b.WriteString(f.sql)
	for rows := range slices.Chunk(m.values(), 97) {
		fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES %s;\n", into[m.random.IntN(len(into))], strings.Join(names, ", "), strings.Join(rows, ", "))
	}
	b.WriteString(m.stir(into[0]) + f.after)
	return strings.NewReplacer("{t}", m.name, "{columns}", columns, "{reversed}", strings.Join(list, ", ")).Replace(b.String())
}

// values are the rows as SQL.
func (m *maker) values() []string {
	rows := make([]string, m.rows)
	for i := range rows {
		fields := []string{fmt.Sprint(i + 1)}
		for _, c := range m.columns {
			fields = append(fields, m.value(c.kind, i+10))
		}
		rows[i] = "(" + strings.Join(fields, ", ") + ")"
	}
	return rows
}

func (m *maker) value(k Kind, number int) string {
	switch {
	case m.random.IntN(8) == 0:
		return "NULL"
	case k.Fresh != "" && m.random.Float64() < m.fresh:
		return fmt.Sprintf(k.Fresh, number)
	}
	return k.Values[m.random.IntN(len(k.Values))]
}

// stir leaves dead rows and moved ones behind.
func (m *maker) stir(table string) string {
	if m.random.IntN(2) == 0 {
		return ""
	}
	last := m.columns[len(m.columns)-1].name
	return fmt.Sprintf("DELETE FROM %[1]s WHERE id %% 7 = 3; UPDATE %[1]s SET %[2]s = NULL WHERE id %% 11 = 5; UPDATE %[1]s SET %[2]s = %[2]s WHERE id %% 5 = 0;\n", table, last)
}

// after are statements that change nothing but how the table may be read.
func (m *maker) after(parts []string) []string {
	var then []string
	if m.random.IntN(2) == 0 {
		// Some types have no order, and views and some expressions no index.
		index := "DO $x$ BEGIN CREATE INDEX ON " + m.name + " ((" + strings.Join(parts, "\n), (") + "\n)); EXCEPTION WHEN OTHERS THEN NULL; END $x$"
		then = append(then, index)
	}
	switch m.random.IntN(3) {
	case 0:
		then = append(then, "ANALYZE "+m.name)
	case 1:
		then = append(then, "VACUUM ANALYZE "+m.name)
	}
	return then
}

// GroupBy is SQL for what is to be found, by the plainest way there is: the
// ids of each repeated key's rows, in order of text, joined by commas. Several
// statements, of which the last one's rows count.
func GroupBy(table string, req source.Request) string {
	inner, names, known := []string{"id"}, []string{}, []string{"true"}
	for i, p := range req.Key {
		name := fmt.Sprintf("k%d", i)
		inner = append(inner, "(\n"+p+"\n) AS "+name)
		names = append(names, name)
		if !req.NullsEqual {
			known = append(known, "num_nulls("+name+") = 0")
		}
	}
	where := "true"
	if req.Where != "" {
		where = req.Where
	}
	return fmt.Sprintf(`SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
SELECT string_agg(id::text, ',' ORDER BY id::text COLLATE "C") FROM (SELECT %s FROM %s WHERE %s
) s WHERE %s GROUP BY %s HAVING count(*) > 1`, strings.Join(inner, ", "), table, where, strings.Join(known, " AND "), strings.Join(names, ", "))
}
