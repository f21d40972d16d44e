package main

import (
	"twinrow/detect/casefile"
	"twinrow/detect/casefile/config"
	"twinrow/detect/source"
	"twinrow/remediate/plan"
	"twinrow/remediate/survivor"
)

// entryRules are the rules of a case's configuration, by the names of its
// entries; nil where it has none. What a flag says goes before the file.
func entryRules(opened *casefile.Opened, file *config.File, o planOptions) (map[string]plan.Rules, error) {
	if file == nil {
		return nil, nil
	}
	all := map[string]plan.Rules{}
	for i := range file.Tables {
		t := &file.Tables[i]
		rules := plan.Rules{Merge: columnRules(t.Merge)}
		if !o.keepGiven && t.Keep.Rule != "" {
			choose, err := survivor.Rule(t.Keep.Rule)
			if err != nil {
				return nil, err
			}
			rules.Keep, rules.Choose = t.Keep.Rule, choose
		}
		if !o.differingGiven {
			rules.Differing = t.Differing
		}
		for _, a := range t.Surplus {
			rules.Set = append(rules.Set, plan.Assignment(a))
		}
		for _, r := range t.References {
			rules.References = append(rules.References, plan.ReferenceRule{
				Table: r.Table, Columns: r.Columns, Where: r.Where, Action: r.Action, OnConflict: r.OnConflict, Merge: columnRules(r.Merge),
			})
		}
		rules.Index = indexRule(t.Index)
		all[opened.Tables[i].Name] = rules
	}
	return all, nil
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
		out = append(out, source.Declared{Table: r.Table, Columns: r.Columns, Where: r.Where, Array: r.Array})
	}
	return out
}
