package apply

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"twinrow/detect/source"
	"twinrow/remediate/plan"

	"github.com/google/go-cmp/cmp"
)

// schemas is how many random schemas of SQLite and D1 are gone forth and back
// on, $TWINROW_TEST_SCHEMAS or a few.
func schemas() int {
	if n, err := strconv.Atoi(os.Getenv("TWINROW_TEST_SCHEMAS")); err == nil {
		return n
	}
	return 16
}

// TestRandomSchemasOfSQLite: whatever refers to a table, and whatever was
// declared, undo gives back the very dump, after apply and after the file.
func TestRandomSchemasOfSQLite(t *testing.T) {
	first, _ := strconv.Atoi(os.Getenv("TWINROW_TEST_SEED"))
	cleaned := make(chan int, schemas())
	t.Run("schemas", func(t *testing.T) {
		for seed := first; seed < first+schemas(); seed++ {
			t.Run(strconv.Itoa(seed), func(t *testing.T) {
				t.Parallel()
				d := randomShape(rand.New(rand.NewPCG(uint64(seed), 1)))
				t.Logf("%s, rules %+v\n%s", d.engine, d.options.Rules, d.script)
				s := d.make(t)
				cleaned <- len(s.plan.Tables[0].Groups)
				goForthAndBack(t, s, d)
			})
		}
	})
	close(cleaned)
	groups := 0
	for n := range cleaned {
		groups += n
	}
	if groups < schemas() {
		t.Errorf("only %d groups of %d schemas were cleaned", groups, schemas())
	}
}

func goForthAndBack(t *testing.T, s *story, d database) {
	before := s.dump()
	if len(s.plan.Tables[0].Groups) == 0 {
		return // all are held
	}
	result := s.apply()
	effects := result.Tables[0].Effects
	delete(effects, "audit")
	if diff := cmp.Diff(s.plan.Tables[0].Effects, effects); diff != "" {
		t.Errorf("foretold and done (-plan +apply):\n%s", diff)
	}
	wantSound(t, s)
	if again := s.apply(); !again.Already {
		t.Errorf("a second apply did something: %+v", again)
	}
	s.undo()
	s.run(d.leaves)
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		t.Fatalf("undo is not exact: %s", diff)
	}
	for range 2 {
		s.mustRun("sql/20_clean_and_index.sql")
	}
	wantSound(t, s)
	after := s.dump()
	out, err := s.client(s.file("sql/20_clean_and_index_undo.sql"))
	if d.engine == "d1" && strings.Contains(out, "has triggers, which D1 cannot keep from changing") { // which D1 cannot keep quiet
		s.run(`DROP TABLE IF EXISTS "twinrow_require_1_` + s.opened.ID + `";`) // which a transaction would take back
		if diff := cmp.Diff(after, s.dump()); diff != "" || err == nil {
			t.Errorf("the file refused and changed something: %v %s", err, diff)
		}
		return
	}
	s.mustRun("sql/20_clean_and_index_undo.sql")
	s.run(d.leaves)
	if d.engine == "d1" {
		shell(t, s.where, s.dropKept())
	}
	if diff := cmp.Diff(before, s.dump()); diff != "" || err != nil {
		t.Fatalf("the way back is not exact: %v %s\n%s", err, out, diff)
	}
}

// wantSound sees that nothing is wrong but the groups that are held.
func wantSound(t *testing.T, s *story) {
	t.Helper()
	for _, c := range s.verify().Checks {
		if !c.OK && len(s.plan.Tables[0].Held) == 0 {
			t.Errorf("%s: %s", c.Name, c.Detail)
		}
	}
	if out := shell(t, s.where, "PRAGMA foreign_key_check;"); out != "" {
		t.Errorf("foreign keys are broken: %s", out)
	}
}

// shape draws one schema with its rows and rules.
type shape struct {
	*rand.Rand
	script strings.Builder
	rules  plan.Rules
	refs   []source.Declared
	ids    []string
	leaves string
}

func (r *shape) pick(of ...string) string { return of[r.IntN(len(of))] }

func (r *shape) add(format string, args ...any) { fmt.Fprintf(&r.script, format+"\n", args...) }

func randomShape(random *rand.Rand) database {
	r := &shape{Rand: random}
	engine, text := r.pick("sqlite", "d1"), r.IntN(3) == 0
	kind := "INTEGER PRIMARY KEY"
	if text {
		kind = "TEXT PRIMARY KEY"
	}
	made, tail := r.pick("", "", ", made AS (k || 'x')", ", made TEXT AS (v || k) STORED"), ""
	if r.IntN(4) == 0 {
		tail = " WITHOUT ROWID"
	}
	r.add("CREATE TABLE things (id %s, k TEXT, v %s, code TEXT UNIQUE, parent REFERENCES things (id) %s%s)%s;", kind, r.pick("NUMERIC", "", "REAL"), r.onDelete(), made, tail)
	for i := range 8 + r.IntN(12) {
		id := strconv.Itoa(10 + i)
		if text {
			id = "'t" + id + "'"
		}
		r.ids = append(r.ids, id)
		r.add("INSERT INTO things (id, k, v, code, parent) VALUES (%s, 'k%d', %s, 'c%d', %s);", id, r.IntN(6), r.pick("1", "2.5", "NULL", "'x'"), i, r.parent())
	}
	r.add("CREATE TABLE audit (n INTEGER PRIMARY KEY, what TEXT);")
	for i := range 1 + r.IntN(3) {
		r.child(fmt.Sprintf("child%d", i), r.pick("INTEGER", "TEXT", ""), r.pick("id", "id", "code"))
	}
	if r.IntN(8) == 0 {
		r.add("CREATE TABLE lists (n INTEGER PRIMARY KEY, ids); INSERT INTO lists (ids) VALUES (json_array(%s, %s)), ('no list'), (json_array(%s));", r.pick(r.ids...), r.pick(r.ids...), r.pick(r.ids...))
		r.refs = append(r.refs, source.Declared{Table: "lists", Columns: []string{"ids"}, Array: true})
	}
	if r.IntN(5) == 0 {
		r.rules.Set = []plan.Assignment{{Column: "k", Value: "k || '_' || id"}}
	} else if r.IntN(3) == 0 {
		r.rules.Merge = []plan.ColumnRule{{Column: "v", Rule: r.pick("min", "max", "first-non-null", "concat", "or")}}
	}
	if engine == "d1" {
		r.add("CREATE TABLE d1_migrations (id);")
	}
	return database{
		engine: engine, script: r.script.String(), leaves: r.leaves,
		request: source.Request{Table: "things", Key: []string{"k"}, References: r.refs},
		options: plan.Options{Keep: r.pick("first", "last", "most-referenced"), Differing: plan.KeepSurvivor, Rules: map[string]plan.Rules{"things": r.rules}},
	}
}

func (r *shape) onDelete() string {
	return r.pick("", "ON DELETE CASCADE", "ON DELETE SET NULL", "ON UPDATE CASCADE")
}

// parent is one of the rows so far, or none.
func (r *shape) parent() string {
	return r.pick(append(r.ids[:len(r.ids)-1:len(r.ids)-1], "NULL", "NULL")...)
}

// child makes a table that refers by a column, in one of its forms.
func (r *shape) child(name, kind, by string) {
	target := "REFERENCES things (" + by + ") " + r.onDelete()
	rule := plan.ReferenceRule{Table: name, Columns: []string{"thing"}, OnConflict: r.pick(plan.Stop, plan.Drop, plan.Merge), Action: r.pick(plan.Repoint, plan.Repoint, plan.Repoint, plan.DeleteRow, plan.SetNull)}
	form := r.pick("plain", "keyed", "unique", "whole", "declared", "kinds", "partial", "computed")
	switch form {
	case "plain":
		r.add("CREATE TABLE %s (n INTEGER PRIMARY KEY, thing %s %s, tag TEXT, at);", name, kind, target)
	case "keyed":
		r.add("CREATE TABLE %s (thing %s NOT NULL %s, tag TEXT COLLATE NOCASE, at, PRIMARY KEY (thing, tag)) WITHOUT ROWID;", name, kind, target)
	case "unique":
		r.add("CREATE TABLE %s (thing %s %s, tag TEXT, at, UNIQUE (tag, thing));", name, kind, target)
	case "whole":
		r.add("CREATE TABLE %s (thing PRIMARY KEY %s, tag TEXT, at);", name, target)
	case "declared":
		by = "id"
		r.add("CREATE TABLE %s (thing, tag TEXT, at);", name)
		r.refs = append(r.refs, source.Declared{Table: name, Columns: []string{"thing"}})
	case "kinds":
		by, rule.Where = "id", "kind = 'thing'"
		r.add("CREATE TABLE %s (n INTEGER PRIMARY KEY, thing, tag TEXT, at, kind TEXT DEFAULT %s);", name, r.pick("'thing'", "'thing'", "'other'"))
		r.refs = append(r.refs, source.Declared{Table: name, Columns: []string{"thing"}, Where: rule.Where})
	case "partial", "computed":
		r.add("CREATE TABLE %s (n INTEGER PRIMARY KEY, thing %s %s, tag TEXT, at, made AS (tag || thing));", name, kind, target)
		index := map[string]string{"partial": "thing, tag) WHERE at IS NOT NULL -- )", "computed": "lower(tag || '(,') DESC, thing, tag COLLATE NOCASE)"}[form]
		r.add("CREATE UNIQUE INDEX %s_one ON %s (%s\n;", name, name, index)
	}
	if rule.Action == plan.SetNull && form == "keyed" {
		rule.Action = plan.DeleteRow
	}
	if rule.OnConflict == plan.Merge {
		rule.Merge = []plan.ColumnRule{{Column: "at", Rule: r.pick("sum", "max", "concat", "first-non-null")}}
	}
	r.rules.References = append(r.rules.References, rule)
	for range 4 + r.IntN(14) {
		thing := r.pick(r.ids...)
		if by == "code" {
			thing = "'c" + strconv.Itoa(r.IntN(len(r.ids))) + "'"
		}
		r.add("INSERT OR IGNORE INTO %s (thing, tag, at) VALUES (%s, %s, %s);", name, thing, r.pick("'a'", "'B'", "'b'", "'COMMIT'"), r.pick("1", "NULL", "2.5", "x'00'", "'y'"))
	}
	switch r.IntN(4) {
	case 0:
		r.add("CREATE TRIGGER %s_gone AFTER DELETE ON %s BEGIN INSERT INTO audit (what) VALUES (old.tag); END;", name, name)
		r.leaves = "DELETE FROM audit;"
	case 1:
		r.add("CREATE TRIGGER %s_moved AFTER UPDATE OF thing ON %s BEGIN INSERT INTO audit (what) VALUES (new.tag); END;", name, name)
		r.leaves = "DELETE FROM audit;"
	}
}
