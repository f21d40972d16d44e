package main

import (
	"context"
	"fmt"

	"twinrow/detect/casefile"
	"twinrow/detect/casefile/config"
	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/remediate/plan"
)

// entryRules are the rules of a case's entries, by their names: how they
// choose, and what its configuration says, which is nil where it has none. What
// a flag says goes before the file.
func (p *program) entryRules(ctx context.Context, opened *casefile.Opened, file *config.File, o planOptions) (map[string]plan.Rules, error) {
	asker := &asker{p: p, opened: opened, source: o.source}
	defer asker.close()
	all := map[string]plan.Rules{}
	for i := range opened.Tables {
		table, entry := &opened.Tables[i], &config.Table{}
		if file != nil {
			entry = &file.Tables[i]
		}
		var err error
		rules := configRules(entry)
		if o.differingGiven {
			rules.Differing = ""
		}
		keep := config.Keep{Rule: o.keep}
		if !o.keepGiven && (entry.Keep.Rule != "" || entry.Keep.Order != nil) {
			keep = entry.Keep
		}
		if rule := o.keepOf[table.Name]; rule != "" {
			keep = config.Keep{Rule: rule}
		}
		if err := asker.choosing(ctx, table, keep, entry.Invariants, &rules); err != nil {
			return nil, err
		}
		if err := mergedInvariant(table.Name, entry.Invariants, rules.Merge); err != nil {
			return nil, err
		}
		if rules.NewKey, err = asker.newKeys(ctx, table, rules.Set); err != nil {
			return nil, err
		}
		all[table.Name] = rules
	}
	return all, nil
}

// mergedInvariant refuses a merge that could give a survivor, for which an
// invariant holds, a value with which it does not.
func mergedInvariant(entry string, invariants []string, rules []plan.ColumnRule) error {
	for _, invariant := range invariants {
		for _, r := range rules {
			if r.Rule != "keep" && key.Mentions(invariant, []string{r.Column}) {
				return &key.Problem{Code: key.CodeUsage, Message: fmt.Sprintf("%s: `merge: {%s: %s}` could undo the invariant %q, which speaks of that column", entry, r.Column, r.Rule, invariant), Hint: "write keep for that column, or take one of the two out of the copy of twinrow.yaml in the case, then plan again"}
			}
		}
	}
	return nil
}

// configRules are what an entry of a configuration says beside who stays.
func configRules(t *config.Table) plan.Rules {
	rules := plan.Rules{Differing: t.Differing, Merge: columnRules(t.Merge), Index: indexRule(t.Index)}
	for _, a := range t.Surplus {
		rules.Set = append(rules.Set, plan.Assignment(a))
	}
	for _, r := range t.References {
		rules.References = append(rules.References, plan.ReferenceRule{
			Table: r.Table, Columns: r.Columns, Where: r.Where, Action: r.Action, OnConflict: r.OnConflict, Merge: columnRules(r.Merge),
		})
	}
	return rules
}

func indexRule(index *config.Index) plan.IndexRule {
	if index == nil {
		return plan.IndexRule{}
	}
	return plan.IndexRule{None: index.None, Name: index.Name, Constraint: index.Constraint, Replaces: index.Replaces, Columns: index.Columns, Where: index.Where, Everywhere: index.Everywhere}
}

func columnRules(rules []config.MergeRule) []plan.ColumnRule {
	var out []plan.ColumnRule
	for _, r := range rules {
		out = append(out, plan.ColumnRule(r))
	}
	return out
}

// declared are an entry's references as a source takes them.
func declared(references []config.Reference) []source.Declared {
	var out []source.Declared
	for _, r := range references {
		deletes := r.Action == plan.DeleteRow || r.OnConflict == plan.Drop || r.OnConflict == plan.Merge
		out = append(out, source.Declared{Table: r.Table, Columns: r.Columns, Where: r.Where, Array: r.Array, Deletes: deletes})
	}
	return out
}
