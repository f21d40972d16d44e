package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/detect/casefile/config"
	"twinrow/detect/key"
	"twinrow/detect/source"
	"twinrow/remediate/plan"
	"twinrow/remediate/survivor"
)

// asker has the database of a case rank rows and judge conditions. It opens
// the database when it is first needed, for reading only.
type asker struct {
	p      *program
	opened *casefile.Opened
	source string
	src    source.Source
}

func (a *asker) close() {
	if a.src != nil {
		_ = a.src.Close() // it was only read
	}
}

// choosing puts into rules how the entry's groups choose who stays.
func (a *asker) choosing(ctx context.Context, table *casefile.Table, keep config.Keep, invariants []string, rules *plan.Rules) error {
	items, err := orderItems(table, keep)
	if err != nil {
		return err
	}
	terms, err := key.ParseOrder(items)
	if err != nil {
		return err
	}
	standings := &survivor.Standings{}
	if len(terms)+len(invariants) > 0 {
		if err := a.rank(ctx, table, source.Ranking{Order: terms, Predicates: invariants}, standings); err != nil {
			return err
		}
	}
	if len(terms) > 0 {
		rules.Keep = strings.Join(items, ", ")
		rules.Choose = survivor.ByOrder(rules.Keep, standings)
	} else {
		rules.Keep = keep.Rule
		if rules.Choose, err = survivor.Rule(keep.Rule); err != nil {
			return err
		}
	}
	if len(invariants) > 0 {
		must := survivor.Invariants{Texts: invariants, Standings: standings}
		rules.Choose, rules.Broken = must.Keeping(rules.Choose), must.Broken
	}
	return nil
}

// word is what a person meant as the name of a rule or of a column; with a
// hyphen it may be a subtraction too.
var word = regexp.MustCompile(`^[\pL_][\pL\pN_]*(-[\pL]+)?$`)

// orderItems are the items of a rule that is an ordering, nil for one of
// survivor.Names.
func orderItems(table *casefile.Table, keep config.Keep) ([]string, error) {
	items := slices.Clone(keep.Order)
	if items == nil {
		if keep.Rule == "" || slices.Contains(survivor.Names, keep.Rule) {
			return nil, nil
		}
		var err error
		if items, err = key.SplitList(keep.Rule); err != nil {
			return nil, err
		}
	}
	columns := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		columns[i] = c.Name
	}
	for i, item := range items {
		_, err := key.ResolveColumn("column", item, columns)
		switch {
		case err == nil && slices.Contains(survivor.Names, item):
			items[i] += " ASC" // a column of that name, and not the rule
			continue
		case err == nil || !word.MatchString(item) || strings.Contains(item, "-") && len(key.Nearest(item, survivor.Names)) == 0:
			continue
		}
		return nil, &key.Problem{Code: key.CodeUsage, Message: fmt.Sprintf("no survivor rule %q, and no such column in %s to order by", item, table.Table),
			Hint: "the rules are " + strings.Join(survivor.Names, ", ") + "; an ordering is as in ORDER BY: \"" + columns[len(columns)-1] + " DESC NULLS LAST\""}
	}
	return items, nil
}

// rank fills in the standings of all rows of an entry's groups.
func (a *asker) rank(ctx context.Context, table *casefile.Table, ask source.Ranking, into *survivor.Standings) error {
	switch a.opened.Source.Engine {
	case "postgres", "sqlite", "d1":
		return a.rankThere(ctx, table, ask, source.RankBatch, into)
	}
	if len(ask.Predicates) > 0 {
		return &key.Problem{Code: key.CodeUnsupported, Message: "the invariant " + ask.Predicates[0] + " is SQL, and a file has no database to work it out", Hint: "take `invariants:` out of the copy in the case, or import the file into a database and scan that"}
	}
	return a.opened.EachGroup(func(g *casefile.Group) error {
		if g.Table != table.Name {
			return nil
		}
		return into.PutValues(table, g, ask.Order)
	})
}

// allAtOnce is the batch for what must be compared beyond groups.
const allAtOnce = math.MaxInt

// rankThere asks about some rows at once, batch of them at least and always whole groups.
func (a *asker) rankThere(ctx context.Context, table *casefile.Table, ask source.Ranking, batch int, into *survivor.Standings) error {
	ranker, found, err := a.inspect(ctx, table)
	if err != nil {
		return err
	}
	var ids []casefile.Fields
	flush := func() error {
		values := make([][]source.Value, len(ids))
		for i, id := range ids {
			for _, part := range id {
				v := source.Value{Null: part.Value == nil}
				if part.Value != nil {
					v.Text = *part.Value
				}
				values[i] = append(values[i], v)
			}
		}
		err := ranker.Rank(ctx, found, ask, values, func(r source.Rank) error {
			into.Put(ids[r.Row], survivor.Standing{Place: r.Place, Holds: r.Holds})
			return nil
		})
		ids = ids[:0]
		return err
	}
	err = a.opened.EachGroup(func(g *casefile.Group) error {
		if g.Table != table.Name {
			return nil
		}
		for _, row := range g.Rows { // a group whole, so that its places compare
			ids = append(ids, row.ID)
		}
		if len(ids) < batch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush() // also where there is no row: a mistake in the SQL is told all the same
}

// inspect opens the case's database and finds an entry's table in it as the scan did.
func (a *asker) inspect(ctx context.Context, table *casefile.Table) (source.Ranker, *source.Table, error) {
	if a.src == nil {
		if err := a.open(ctx); err != nil {
			return nil, nil, err
		}
	}
	ranker, ok := a.src.(source.Ranker)
	if !ok {
		return nil, nil, &key.Problem{Code: key.CodeUnsupported, Message: "a source of " + a.src.Info().Engine + " cannot rank rows", Hint: "name the database that was scanned, as in `twinrow plan CASE SOURCE`"}
	}
	found, err := a.src.Inspect(ctx, requestOf(table))
	if err != nil {
		return nil, nil, err
	}
	if !slices.Equal(found.ID, table.ID) {
		return nil, nil, &key.Problem{Code: key.CodeDrift, Message: table.Table + " was altered since the scan: its rows are told apart by " + strings.Join(found.ID, ", ") + " now, and not by " + strings.Join(table.ID, ", "), Hint: "scan again into a new case"}
	}
	return ranker, found, nil
}

// open opens the database as apply finds it, and sees that it is the case's.
func (a *asker) open(ctx context.Context) error {
	at, err := a.place()
	if err != nil {
		return notReached(err)
	}
	src, err := a.p.open(ctx, at, readOptions{jobs: 1})
	if err != nil {
		return notReached(err)
	}
	a.src = src
	is, was := src.Info(), a.opened.Source
	if is.Identity != "" && was.Identity != "" && is.Identity != was.Identity || (is.Identity == "" || was.Identity == "") && was.Engine == "postgres" && is.Database != was.Database {
		return &key.Problem{Code: key.CodeDrift, Message: fmt.Sprintf("the database %q here is not the one that was scanned (%q)", is.Database, was.Database), Hint: "name the database of the case, or scan this one"}
	}
	return nil
}

// notReached says why the database is needed, where it cannot be read.
func notReached(err error) error {
	problem, ok := errors.AsType[*key.Problem](err)
	if !ok {
		return err
	}
	return &key.Problem{Code: problem.Code, Message: "an ordering and invariants are for the database to judge, which cannot be read: " + problem.Message, Err: problem.Err,
		Hint: "name it, as in `twinrow plan CASE SOURCE` or with DATABASE_URL, or plan by --keep first and without `invariants:`"}
}

// place is where the rows can be read: a dump too, which apply cannot change.
func (a *asker) place() (place, error) {
	if a.source == "" {
		if at, err := a.p.place(a.opened.Source.Location); err == nil && at.engine == "dump" {
			return at, nil
		}
	}
	where, err := a.p.placeOf(a.opened, a.source)
	if err != nil {
		return place{}, err
	}
	return a.p.place(where)
}
