package apply

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"twinrow/detect/source"
	"twinrow/queries"
	"twinrow/remediate/plan"
)

// world is a random database with a table that holds duplicates, and a random
// plan for it. All of it hangs on the seed alone.
type world struct {
	*rand.Rand
	sql     strings.Builder
	schema  string
	parent  string
	id      []column // the primary key, empty where there is none
	columns []column // with the id's
	key     []string
	named   []string // columns of the parent that children refer to
	used    map[string]bool
	traits  []string
	request source.Request
	rules   plan.Rules
	options plan.Options
}

// column is one column and how its values are written.
type column struct {
	name, kind string
	value      func(*rand.Rand) string
	// tail follows the type: NOT NULL, GENERATED and the like.
	tail string
}

func (w *world) one(of ...string) string { return of[w.IntN(len(of))] }
func (w *world) may(percent int) bool    { return w.IntN(100) < percent }
func (w *world) trait(name string)       { w.traits = append(w.traits, name) }
func (w *world) f(format string, args ...any) {
	fmt.Fprintf(&w.sql, format+"\n", args...)
}

// kinds are types with values that a copy through text or JSON would lose.
var kinds = []struct {
	kind   string
	values []string
}{
	{"text", []string{"'a'", "''", "'it''s \"so\"'", `E'tab\tand\\back'`, "'ünï'", "NULL"}},
	{"int", []string{"0", "-1", "2147483647", "NULL"}},
	{"numeric", []string{"1.0", "1.00", "'NaN'", "-0.000", "NULL"}},
	{"float8", []string{"'-0'", "'NaN'", "'-Infinity'", "0.1::float8+0.2", "NULL"}},
	{"boolean", []string{"true", "false", "NULL"}},
	{"bytea", []string{`'\x00ff27'`, `'\x'`, "NULL"}},
	{"jsonb", []string{`'{"a":null}'`, `'[1,"x"]'`, "'null'", "NULL"}},
	{"json", []string{`'{"a":1,"a":2, "b" : -0}'`, "NULL"}},
	{"int[]", []string{"'{1,NULL,3}'", "'[0:1]={4,5}'", "'{}'", "NULL"}},
	{"text[]", []string{`'{{a,"b,"},{NULL,"N\"ULL"}}'`, "NULL"}},
	{"timestamptz", []string{"'2025-12-24 03:20:37.914123+01'", "'infinity'", "'-infinity'", "NULL"}},
	{"interval", []string{"'1 mon -2 days 03:04:05.6'", "NULL"}},
	{"mood", []string{"'sad'", "'glad'", "NULL"}},
	{"small", []string{"3", "NULL"}},
	{"pair", []string{`'(1,"x,""y")'`, "'(,)'", "NULL"}},
	{"bit(3)", []string{"B'101'", "NULL"}},
	{"char(5)", []string{"'ab'", "NULL"}},
	{"int4range", []string{"'[1,5)'", "'empty'", "NULL"}},
	{"inet", []string{"'10.0.0.1/8'", "NULL"}},
	{"money", []string{"'12.34'", "NULL"}},
}

var names = []string{"t", "Order", "it's", `qu"ote`, "select", "Ünï code", "a.b", "id_1", "q", "w", "c", "h", "s", "twinrow_x", "$$", "k", "m", "n", "--", "x y z"}

// name is a new one for a table or a column.
func (w *world) name(stem string) string {
	for {
		name := stem
		if w.may(40) {
			name = names[w.IntN(len(names))]
		}
		if w.used[name] {
			name += fmt.Sprint(len(w.used))
		}
		if !w.used[name] {
			w.used[name] = true
			return name
		}
	}
}

func (w *world) payload(n int) []column {
	var out []column
	for range n {
		k := kinds[w.IntN(len(kinds))]
		kind := k.kind
		if slices.Contains([]string{"mood", "small", "pair"}, kind) {
			kind = queries.Ident(w.schema) + "." + kind
		}
		out = append(out, column{name: w.name("p"), kind: kind, value: func(r *rand.Rand) string { return k.values[r.IntN(len(k.values))] }})
	}
	return out
}

func (w *world) table(name string) string { return queries.Ident(w.schema) + "." + queries.Ident(name) }

// newWorld makes the database and the plan of a seed.
func newWorld(seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 7)), schema: "public", used: map[string]bool{"audit_log": true}}
	if w.may(30) {
		w.schema = w.one("Sho p", "it's", "shop")
		w.f("CREATE SCHEMA %s;", queries.Ident(w.schema))
	}
	for _, sql := range []string{"CREATE TYPE %s.mood AS ENUM ('sad', 'glad');", "CREATE DOMAIN %s.small AS int CHECK (value < 10);", "CREATE TYPE %s.pair AS (a int, b text);", "CREATE TABLE %s.audit_log (what text, n bigint);"} {
		w.f(sql, queries.Ident(w.schema))
	}
	partitioned := w.may(15)
	w.makeParent(partitioned)
	rows := w.fillParent()
	var children []string
	if len(w.named) > 0 {
		for range w.IntN(4) {
			children = append(children, w.makeChild(rows))
		}
	}
	if len(w.named) == 1 && w.may(40) {
		children = append(children, w.makeLists(rows))
	}
	for _, table := range append(children, w.parent) {
		w.triggers(table, table == w.parent && partitioned)
	}
	w.plan(partitioned)
	return w
}

// makeParent makes the table that holds the duplicates.
func (w *world) makeParent(partitioned bool) {
	w.parent = w.name("parent")
	keys := 1 + w.IntN(3)
	bucket := column{name: w.name("bucket"), kind: "int", tail: " NOT NULL", value: func(r *rand.Rand) string { return fmt.Sprint(r.IntN(3)) }}
	switch w.IntN(6) {
	case 0:
		w.trait("no primary key")
	case 1:
		w.id = []column{{name: w.name("id"), kind: "int"}, {name: w.name("sub"), kind: "text"}}
		w.trait("composite key")
	case 2:
		w.id = []column{{name: w.name("id"), kind: "bigint", tail: " GENERATED ALWAYS AS IDENTITY"}}
		w.trait("identity")
	default:
		w.id = []column{{name: w.name("id"), kind: w.one("bigint", "int", "text", "uuid", "numeric")}}
	}
	w.columns = slices.Clone(w.id)
	if partitioned {
		w.columns = append(w.columns, bucket)
		w.key = append(w.key, bucket.name)
		w.trait("partitions")
	}
	for range keys {
		c := column{name: w.name("key"), kind: w.one("text", "int", "date", "numeric")}
		w.columns, w.key = append(w.columns, c), append(w.key, c.name)
	}
	w.columns = append(w.columns, w.payload(1+w.IntN(6))...)
	definitions := make([]string, 0, len(w.columns)+3)
	for _, c := range w.columns {
		definitions = append(definitions, queries.Ident(c.name)+" "+c.kind+c.tail)
	}
	if w.may(25) {
		last := w.columns[slices.IndexFunc(w.columns, func(c column) bool { return c.name == w.key[len(w.key)-1] })]
		if last.kind != "date" { // whose text hangs on a setting
			definitions = append(definitions, w.made(last))
			w.trait("generated")
		}
	}
	primary := quoted(w.id)
	if len(w.id) > 0 {
		if partitioned {
			primary += ", " + queries.Ident(bucket.name)
			w.named = append(columnsOf(w.id), bucket.name)
		} else {
			w.named = columnsOf(w.id)
		}
		definitions = append(definitions, "PRIMARY KEY ("+primary+")")
		if w.may(30) && !partitioned && len(w.id) == 1 {
			self := column{name: w.name("parent"), kind: w.id[0].kind}
			definitions = append(definitions, queries.Ident(self.name)+" "+self.kind+" REFERENCES "+w.table(w.parent)+w.onDelete())
			w.columns = append(w.columns, self)
			w.trait("self-reference")
		}
	}
	tail := ""
	if partitioned {
		tail = " PARTITION BY LIST (" + queries.Ident(bucket.name) + ")"
	}
	w.f("CREATE TABLE %s (%s)%s;", w.table(w.parent), strings.Join(definitions, ", "), tail)
	if partitioned {
		w.f("CREATE TABLE %s PARTITION OF %s FOR VALUES IN (0, 1);", w.table(w.name("part")), w.table(w.parent))
		w.f("CREATE TABLE %s PARTITION OF %s DEFAULT;", w.table(w.name("part")), w.table(w.parent))
	}
}

func columnsOf(columns []column) []string {
	var out []string
	for _, c := range columns {
		out = append(out, c.name)
	}
	return out
}

func quoted(columns []column) string { return queries.Idents(columnsOf(columns)) }

// onDelete is what a foreign key does, and when it is looked at.
func (w *world) onDelete() string {
	what := w.one("", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON DELETE RESTRICT", " ON DELETE NO ACTION")
	if what == " ON DELETE CASCADE" || what == " ON DELETE SET NULL" {
		w.trait("cascades")
	}
	return what + w.one("", "", " DEFERRABLE INITIALLY DEFERRED", " DEFERRABLE")
}

// keyValue is the n-th of the few values of a key column.
func keyValue(kind string, n int) string {
	switch kind {
	case "text":
		return []string{"'a'", "'b'", "'it''s'", "''", "'A'"}[n%5]
	case "date":
		return fmt.Sprintf("'2025-01-%02d'", 1+n%5)
	}
	return fmt.Sprint(n % 5)
}

func idValue(kind string, n int) string {
	switch kind {
	case "text":
		return fmt.Sprintf("'r%d'", n)
	case "uuid":
		return fmt.Sprintf("'00000000-0000-0000-0000-%012d'", n)
	}
	return fmt.Sprint(n)
}

// fillParent makes the rows; it returns, for each, the values by which
// children refer to it.
func (w *world) fillParent() []string {
	var refs []string
	copies, flat := map[string][]string{}, w.may(60)
	for n := 1; n <= 6+w.IntN(30); n++ {
		var values, ref []string
		group := ""
		for _, c := range w.columns {
			var value string
			switch {
			case slices.Contains(columnsOf(w.id), c.name):
				value = idValue(c.kind, n)
			case slices.Contains(w.key, c.name) && c.value == nil:
				if value = keyValue(c.kind, w.IntN(2)); w.may(4) {
					value = "NULL"
				}
			case c.value == nil: // the row's parent
				if value = "NULL"; n > 1 && w.may(50) && !(flat && copies[group] != nil) {
					value = idValue(c.kind, 1+w.IntN(n-1))
				}
			default:
				value = c.value(w.Rand)
			}
			if slices.Contains(w.key, c.name) {
				group += value + "|"
			}
			if slices.Contains(w.named, c.name) {
				ref = append(ref, value)
			}
			values = append(values, value)
		}
		if first := copies[group]; first != nil && w.may(70) { // a true copy, but for id and key
			for i, c := range w.columns {
				if !slices.Contains(columnsOf(w.id), c.name) && !(flat && c.value == nil && !slices.Contains(w.key, c.name)) {
					values[i] = first[i]
				}
			}
		}
		copies[group] = values
		w.f("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s);", w.table(w.parent), quoted(w.columns), strings.Join(values, ", "))
		refs = append(refs, strings.Join(ref, ", "))
	}
	return refs
}

// triggers may put an audit or a stamp on a table.
func (w *world) triggers(table string, partitioned bool) {
	if !w.may(30) {
		return
	}
	function := w.table(w.name("f"))
	level, when := w.one("ROW", "ROW", "STATEMENT"), w.one("INSERT OR UPDATE OR DELETE", "DELETE", "UPDATE", "UPDATE OR DELETE")
	w.f("CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN INSERT INTO %s VALUES (TG_OP, pg_trigger_depth()); RETURN coalesce(NEW, OLD); END $f$;", function, w.table("audit_log"))
	timing := w.one("AFTER", "BEFORE")
	if partitioned {
		timing = "AFTER"
	}
	w.f("CREATE TRIGGER %s %s %s ON %s FOR EACH %s EXECUTE FUNCTION %s();", queries.Ident(w.name("trigger")), timing, when, w.table(table), level, function)
	w.trait("triggers")
}

// plan draws the plan.
func (w *world) plan(partitioned bool) {
	w.request.Table, w.request.Key = w.table(w.parent), slices.Clone(w.key)
	if w.schema == "public" && w.may(50) {
		w.request.Table = queries.Ident(w.parent)
	}
	w.options.Keep = w.one("first", "last", "most-referenced")
	w.rules.Differing = plan.KeepSurvivor
	if w.may(30) && w.set() {
		w.trait("surplus set")
	} else if w.may(30) {
		w.rules.Differing = plan.Merge
		for _, c := range w.columns {
			if !slices.Contains(columnsOf(w.id), c.name) && !slices.Contains(w.key, c.name) && c.value != nil {
				rules := []string{"first-non-null", "keep"}
				if slices.Contains([]string{"int", "numeric"}, c.kind) {
					rules = append(rules, "min", "max")
				}
				if c.kind == "text" {
					rules = append(rules, "concat")
				}
				w.rules.Merge = append(w.rules.Merge, plan.ColumnRule{Column: c.name, Rule: w.one(rules...)})
			}
		}
		w.trait("merge")
	}
	if !partitioned {
		w.rules.Index = plan.IndexRule{Constraint: w.may(30), None: w.may(10)}
		if w.may(20) {
			w.f("CREATE INDEX old_one ON %s (%s DESC);", w.table(w.parent), queries.Ident(w.key[0]))
			w.rules.Index.Replaces = "old_one"
		}
	}
	if w.options.Strategy = plan.Atomic; w.may(60) {
		w.options.Strategy = plan.Online
	}
}

// set draws that surplus rows stay and get another key, where one of the key's
// columns can hold it.
func (w *world) set() bool {
	i := slices.IndexFunc(w.columns, func(c column) bool { return c.kind == "text" && slices.Contains(w.key, c.name) })
	if i < 0 || len(w.id) == 0 {
		return false
	}
	value := queries.Ident(w.columns[i].name)
	for _, c := range w.id {
		value += " || '_' || " + queries.Ident(c.name)
	}
	w.rules.Set = []plan.Assignment{{Column: w.columns[i].name, Value: value}}
	for _, c := range w.columns {
		if c.kind == "numeric" && c.value != nil && w.may(50) {
			w.rules.Set = append(w.rules.Set, plan.Assignment{Column: c.name, Value: "coalesce(" + queries.Ident(c.name) + ", 0) + 1"})
		}
	}
	return true
}
