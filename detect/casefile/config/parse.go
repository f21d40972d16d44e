package config

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"twinrow/detect/casefile/yaml"
)

// maxTables bounds the entries of a file.
const maxTables = 1000

// reader walks a twinrow.yaml.
type reader struct{ yaml.Reader }

// Parse reads a twinrow.yaml. name is the file's, for messages; env looks an
// environment variable up, as os.LookupEnv does. A mistake is a *key.Problem
// with file, line and column; so is a key that is not known.
func Parse(name string, content []byte, env func(string) (string, bool)) (*File, error) {
	r := &reader{yaml.Reader{Name: name, Env: env, Hint: "`twinrow scan --help` shows every key of the file",
		TooLong: "give a configuration for each group of tables"}}
	root := r.Parse(content)
	if r.Err != nil {
		return nil, r.Err
	}
	f := &File{Name: name, Text: content}
	r.file(root, f)
	if r.Err != nil {
		return nil, r.Err
	}
	return f, nil
}

func (r *reader) file(root ast.Node, f *File) {
	r.Fields(root, map[string]func(ast.Node){
		"source": func(n ast.Node) { f.source, f.sourceErr = r.location(n) },
		"tables": func(n ast.Node) {
			items := r.Items(n)
			if len(items) > maxTables {
				r.Fail(n, "%d tables, and %d are the most", len(items), maxTables)
				return
			}
			for _, item := range items {
				f.Tables = append(f.Tables, r.table(item))
			}
		},
	})
	if r.Err == nil && len(f.Tables) == 0 {
		r.Fail(root, "no tables: name one at least under `tables:`")
	}
}

// location reads the source; a variable that is not set is kept for the one who asks.
func (r *reader) location(node ast.Node) (string, error) {
	quiet := *r
	text := quiet.Text(node)
	if _, plain := yaml.Scalar(r.Plain(node)); !plain {
		r.Text(node)
	}
	return text, quiet.Err
}

func (r *reader) table(node ast.Node) Table {
	t := Table{At: r.Where(node)}
	r.Fields(node, map[string]func(ast.Node){
		"table": r.into(&t.Table), "where": r.into(&t.Where), "time": r.into(&t.Time), "email": r.into(&t.Email),
		"name": r.into(&t.Name), "amount": r.into(&t.Amount), "provider": r.into(&t.Provider),
		"key": r.listInto(&t.Key), "id": r.listInto(&t.ID), "ignore": r.listInto(&t.Ignore), "invariants": r.listInto(&t.Invariants),
		"nulls":     func(n ast.Node) { t.NullsEqual = r.Word(n, "distinct", "not-distinct") == "not-distinct" },
		"keep":      func(n ast.Node) { t.Keep = r.keep(n) },
		"surplus":   func(n ast.Node) { t.Surplus = r.surplus(n) },
		"differing": func(n ast.Node) { t.Differing = r.Word(n, Hold, KeepSurvivor, Merge) },
		"merge":     func(n ast.Node) { t.Merge = r.merge(n) },
		"references": func(n ast.Node) {
			for _, item := range r.Items(n) {
				t.References = append(t.References, r.reference(item))
			}
		},
		"index": func(n ast.Node) { t.Index = r.index(n) },
	})
	if r.Err == nil && t.Table == "" {
		r.Fail(node, "an entry needs a table")
	}
	if r.Err == nil && len(t.Key) == 0 {
		r.Fail(node, "the entry of %s needs a key: the columns or SQL expressions that must be unique together", t.Table)
	}
	return t
}

// into sets a text that is not empty; what is empty is left out of the file.
func (r *reader) into(to *string) func(ast.Node) {
	return func(n ast.Node) { *to = r.filled(n) }
}

func (r *reader) listInto(to *[]string) func(ast.Node) {
	return func(n ast.Node) {
		*to = r.Texts(n)
		if r.Err == nil && (len(*to) == 0 || slices.Contains(*to, "")) {
			r.Fail(n, "a list of texts that are not empty is needed here, as [a, b]")
		}
	}
}

func (r *reader) filled(node ast.Node) string {
	text := r.Text(node)
	if r.Err == nil && strings.TrimSpace(text) == "" {
		r.Fail(node, "this is empty; leave the key out where nothing is meant")
	}
	return text
}

func (r *reader) keep(node ast.Node) Keep {
	if _, list := r.Plain(node).(*ast.SequenceNode); !list {
		return Keep{Rule: r.filled(node)}
	}
	var k Keep
	r.listInto(&k.Order)(node)
	return k
}

func (r *reader) surplus(node ast.Node) []Assignment {
	if _, word := yaml.Scalar(r.Plain(node)); word {
		r.Word(node, "delete")
		return nil
	}
	var set []Assignment
	r.Fields(node, map[string]func(ast.Node){"set": func(n ast.Node) {
		for _, p := range r.Pairs(n) {
			set = append(set, Assignment{p.Key, r.filled(p.Value)})
		}
	}})
	if r.Err == nil && len(set) == 0 {
		r.Fail(node, "`delete` is needed here, or a column and its new value, as {set: {username: \"username || '_' || id\"}}")
	}
	return set
}

func (r *reader) merge(node ast.Node) []MergeRule {
	var rules []MergeRule
	for _, p := range r.Pairs(node) {
		rules = append(rules, MergeRule{p.Key, r.Word(p.Value, MergeRules...)})
	}
	if r.Err == nil && len(rules) == 0 {
		r.Fail(node, "a column and its rule are needed here, as {value: sum}")
	}
	return rules
}

func (r *reader) reference(node ast.Node) Reference {
	ref := Reference{At: r.Where(node), Action: Repoint, OnConflict: Stop}
	given := map[string]bool{}
	noted := func(name string, set func(ast.Node)) func(ast.Node) {
		return func(n ast.Node) { given[name] = true; set(n) }
	}
	r.Fields(node, map[string]func(ast.Node){
		"table":       r.into(&ref.Table),
		"where":       r.into(&ref.Where),
		"column":      noted("column", func(n ast.Node) { ref.Columns = []string{r.filled(n)} }),
		"columns":     noted("columns", r.listInto(&ref.Columns)),
		"array":       func(n ast.Node) { ref.Array = r.Bool(n) },
		"action":      func(n ast.Node) { ref.Action = r.Word(n, Repoint, DeleteRow, SetNull, Stop) },
		"on_conflict": noted("on_conflict", func(n ast.Node) { ref.OnConflict = r.Word(n, Stop, Drop, Merge, KeepRepeats) }),
		"merge":       func(n ast.Node) { ref.Merge = r.merge(n) },
	})
	switch {
	case r.Err != nil:
	case ref.Table == "":
		r.Fail(node, "a reference needs a table")
	case given["column"] == given["columns"]:
		r.Fail(node, "a reference needs `column:` or `columns:`, and not both")
	case ref.Array && len(ref.Columns) > 1:
		r.Fail(node, "a list of ids is one column, and there are %d", len(ref.Columns))
	case ref.Array && ref.OnConflict == Merge, !ref.Array && ref.OnConflict == KeepRepeats:
		r.Fail(node, "`on_conflict: %s` is for %s; %s", ref.OnConflict, map[bool]string{true: "rows that collide", false: "arrays"}[ref.Array], map[bool]string{true: "an array has stop, drop or keep", false: "a column has stop, drop or merge"}[ref.Array])
	case (ref.OnConflict == Merge) != (ref.Merge != nil):
		r.Fail(node, "`on_conflict: merge` and `merge: {column: rule}` go together, and one of them is missing")
	case given["on_conflict"] && ref.Action != Repoint:
		r.Fail(node, "`on_conflict:` is for rows that are repointed, and here the action is %s", ref.Action)
	}
	return ref
}

func (r *reader) index(node ast.Node) *Index {
	if _, word := yaml.Scalar(r.Plain(node)); word {
		r.Word(node, "false")
		return &Index{None: true}
	}
	index := &Index{}
	r.Fields(node, map[string]func(ast.Node){
		"name":       r.into(&index.Name),
		"replaces":   r.into(&index.Replaces),
		"constraint": func(n ast.Node) { index.Constraint = r.Bool(n) },
		"columns":    r.listInto(&index.Columns),
		"where": func(n ast.Node) {
			index.Where = strings.TrimSpace(r.Text(n))
			index.Everywhere = index.Where == ""
		},
	})
	return index
}
