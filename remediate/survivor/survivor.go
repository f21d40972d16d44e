// Package survivor decides which row of a duplicate group stays, and says why.
//
// It decides from the evidence, and from what somebody had a database say of its
// rows. It must not know a database itself, a plan, or what becomes of the rows
// that do not stay.
package survivor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
)

// Default is the rule where a person names none.
const Default = "first"

// Names lists the rules there are.
var Names = []string{"first", "last", MostReferenced}

// MostReferenced keeps the row that most rows of other tables refer to.
const MostReferenced = "most-referenced"

// Choice is the decision for one group.
type Choice struct {
	// Keep is the id of the row that stays.
	Keep casefile.Fields
	// Remove are the ids of the others, in the evidence's order.
	Remove []casefile.Fields
	// Reason says in plain words why Keep stays.
	Reason string
}

// Decide is a rule ready to be applied. Its results are those of a Choice; it
// has no type of this package in it, so that a plan can be given one. Where no
// row may be chosen, keep is nil and the reason says why.
type Decide = func(table *casefile.Table, group *casefile.Group) (keep casefile.Fields, remove []casefile.Fields, reason string, err error)

// Rule finds the rule of that name; "" is the default. An unknown name is a
// usage Problem with the names there are.
func Rule(name string) (Decide, error) {
	if name == "" {
		name = Default
	}
	if err := known(name); err != nil {
		return nil, err
	}
	return func(t *casefile.Table, g *casefile.Group) (casefile.Fields, []casefile.Fields, string, error) {
		c, err := Choose(name, t, g)
		return c.Keep, c.Remove, c.Reason, err
	}, nil
}

// Choose applies a rule to a group. A tie in time is broken by id: the lowest
// under first, the highest under last. A group in which any row has no usable
// time is decided by id alone, and its reason says so.
func Choose(rule string, table *casefile.Table, group *casefile.Group) (Choice, error) {
	if err := known(rule); err != nil {
		return Choice{}, err
	}
	if len(group.Rows) == 0 {
		return Choice{}, noRows(group)
	}
	if rule == MostReferenced {
		return mostReferenced(table, group)
	}
	times := instants(group)
	best, tied := 0, false
	for i := 1; i < len(group.Rows); i++ {
		order := 0
		if times != nil {
			order = times[i].Compare(times[best])
		}
		if better(rule, order, compareIDs(group.Rows[i].ID, group.Rows[best].ID)) {
			best = i
		}
	}
	choice := Choice{Keep: group.Rows[best].ID}
	for i := range group.Rows {
		if i == best {
			continue
		}
		choice.Remove = append(choice.Remove, group.Rows[i].ID)
		tied = tied || times != nil && times[i].Equal(times[best])
	}
	choice.Reason = reason(rule, table, times != nil, tied)
	return choice, nil
}

func noRows(group *casefile.Group) error {
	return &key.Problem{Code: key.CodeBadInput, Message: fmt.Sprintf("group %d of the evidence has no rows", group.Number), Hint: "restore the case from a copy, or scan again"}
}

func known(rule string) error {
	if slices.Contains(Names, rule) {
		return nil
	}
	return &key.Problem{Code: key.CodeUsage, Message: fmt.Sprintf("no survivor rule %q", rule), Hint: "the rules are: " + strings.Join(Names, ", ")}
}

// better tells whether a row replaces the best so far, from how its time and
// its id compare with the best's.
func better(rule string, byTime, byID int) bool {
	order := byTime
	if order == 0 {
		order = byID
	}
	if rule == "last" {
		return order > 0
	}
	return order < 0
}

// instants reads every row's time; nil where one of them has none.
func instants(group *casefile.Group) []time.Time {
	times := make([]time.Time, len(group.Rows))
	for i, row := range group.Rows {
		if row.Time == nil {
			return nil
		}
		at, err := time.Parse(time.RFC3339Nano, *row.Time)
		if err != nil {
			return nil
		}
		times[i] = at
	}
	return times
}

func reason(rule string, table *casefile.Table, timed, tied bool) string {
	when, which := "earliest", "lowest"
	if rule == "last" {
		when, which = "latest", "highest"
	}
	id := which + " " + strings.Join(table.ID, ", ")
	switch {
	case timed && tied:
		return fmt.Sprintf("%s %s, shared with another row; of these the %s", when, table.Time, id)
	case timed:
		return when + " " + table.Time
	case table.Time == "":
		return id + "; no time column was named"
	default:
		return fmt.Sprintf("%s; %s has no usable time in every row of the group", id, table.Time)
	}
}
