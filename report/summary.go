package report

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/detect/casefile"
)

// Found says in one line what a table's totals are, without a full stop:
// "4 groups of duplicates, 8 rows, 4 surplus, 4 customers; 2 race, 2 retry".
func (t *Table) Found() string {
	if t.Totals.Groups == 0 {
		return "no duplicates"
	}
	line := fmt.Sprintf("%s of duplicates, %s, %s surplus", Count(t.Totals.Groups, "group"), Count(t.Totals.Rows, "row"), Number(t.Totals.Surplus))
	if t.Email != "" {
		line += ", " + Count(t.Totals.Customers, "customer")
	}
	return line + "; " + t.ByClass()
}

// ByClass lists the totals of the classes that occur: "2 race, 2 retry".
func (t *Table) ByClass() string {
	var parts []string
	for _, class := range casefile.Classes {
		if n := t.Totals.ByClass[class]; n > 0 {
			parts = append(parts, Number(n)+" "+string(class))
		}
	}
	return strings.Join(parts, ", ")
}

// When says when the first and the last duplicate were written, or nothing
// where the case does not say.
func (t *Table) When() string {
	first, last := t.Totals.FirstDuplicate, t.Totals.LastDuplicate
	switch {
	case first == nil || last == nil:
		return ""
	case *first == *last:
		return "the duplicate was written at " + Instant(first) + " UTC"
	}
	return "first duplicate " + Instant(first) + " UTC, last " + Instant(last) + " UTC"
}

// Read says what was read to find this, in one line without a full stop.
func (t *Table) Read() string {
	parts := []string{Count(t.ScannedRows, "row") + " read from " + t.Place()}
	if t.NullKeyRows > 0 {
		parts = append(parts, Number(t.NullKeyRows)+" of them with a NULL in the key, which equals no other")
	}
	if t.BadLines > 0 {
		parts = append(parts, Count(t.BadLines, "unreadable line")+" skipped")
	}
	return strings.Join(parts, "; ")
}

// Place names the engine and the database, "postgres 15.18, database shop", or
// the file.
func (t *Table) Place() string {
	if t.Source.Engine == "csv" {
		return Plain("the file " + t.Source.Database)
	}
	place := strings.TrimSpace(t.Source.Engine + " " + t.Source.Version)
	if t.Source.Database != "" {
		place += ", database " + t.Source.Database
	}
	return Plain(place)
}

// KeyText is the key as a person writes it: "(payment_intent_id, ticket_number)".
func (t *Table) KeyText() string { return "(" + Plain(strings.Join(t.Key, ", ")) + ")" }

// Already says which unique index or constraint forbids duplicates, or nothing.
func (t *Table) Already() string {
	if len(t.UniqueBy) == 0 {
		return ""
	}
	names := Plain(strings.Join(t.UniqueBy, ", "))
	if t.Totals.Groups > 0 {
		return "the key is declared unique by " + names + ", and yet rows repeat it: do not trust that index"
	}
	return "the key is already unique: " + names + " forbids a second row"
}

// TimeTrouble says how many rows of groups had no usable time, or nothing.
func (t *Table) TimeTrouble() string {
	if t.Untimed == nil {
		return ""
	}
	first := "NULL"
	if t.Untimed.First != nil {
		first = `"` + Shorten(Plain(*t.Untimed.First), 40, nil) + `"`
	}
	return fmt.Sprintf("%s without a usable time in %s; the first such value is %s", Count(t.Untimed.Rows, "row"), Plain(t.Time), first)
}

// Sureness is the strength of a group's class, and whether other gaps have
// other classes: "likely", "likely, mixed".
func (g *Group) Sureness() string {
	if g.Mixed {
		return string(g.Strength) + ", mixed"
	}
	return string(g.Strength)
}

// Copies says whether the rows of a group are equal but for id and time.
func (g *Group) Copies() string {
	if g.Identical {
		return "equal"
	}
	return "differ"
}

// Gaps are the group's gaps in words, at most limit of them.
func (g *Group) Gaps(limit int) []string {
	var gaps []string
	for _, row := range g.Rows {
		switch {
		case row.Class == nil:
			continue
		case len(gaps) == limit:
			return append(gaps, "…")
		case row.GapUS == nil:
			gaps = append(gaps, "unknown")
		default:
			gaps = append(gaps, Duration(*row.GapUS))
		}
	}
	return gaps
}

// Examples are all groups where there are no more than few, and else the first
// of each class and strength: their reasons differ in little but the gap.
func Examples(groups []Group, few int) []Group {
	if len(groups) <= few {
		return groups
	}
	var first []Group
	seen := map[string]bool{}
	for _, g := range groups {
		if kind := string(g.Class) + " " + string(g.Strength); !seen[kind] {
			seen[kind] = true
			first = append(first, g)
		}
	}
	return first
}

// Kept is the id of the row that the plan keeps; ok is false where none is.
func (g *Group) Kept() (id casefile.Fields, ok bool) {
	for _, row := range g.Rows {
		if row.Fate == Keep {
			return row.ID, true
		}
	}
	return nil, false
}

// Unknown is one thing that could not be known.
type Unknown struct {
	Text string
	// Groups are the numbers of the groups it holds for; nil where it holds for all.
	Groups []int
}

// Unknowns gathers what could not be known in the groups given, each thing
// once, at most limit of them: what holds for the most groups first, then what
// occurs first. more is how many things are left out.
func Unknowns(groups []Group, limit int) (all []Unknown, more int) {
	places := map[string]int{}
	for i := range groups {
		for _, text := range groups[i].Unknown {
			place, seen := places[text]
			if !seen {
				place = len(all)
				places[text] = place
				all = append(all, Unknown{Text: text})
			}
			all[place].Groups = append(all[place].Groups, groups[i].Number)
		}
	}
	for i := range all {
		all[i].Groups = slices.Compact(all[i].Groups)
	}
	slices.SortStableFunc(all, func(a, b Unknown) int { return len(b.Groups) - len(a.Groups) })
	for i := range all {
		if len(all[i].Groups) == len(groups) {
			all[i].Groups = nil
		}
	}
	shown := min(len(all), limit)
	return all[:shown], len(all) - shown
}

// UnknownLines are Unknowns of the table's groups, then what could not be
// counted of its impact: sentences, each Plain and without a full stop.
func (t *Table) UnknownLines(limit int) []string {
	all, more := Unknowns(t.Groups, limit)
	lines := make([]string, 0, len(all)+1)
	for _, u := range all {
		line := Plain(u.Text)
		if u.Groups != nil {
			line += " (" + NumberList(u.Groups) + ")"
		}
		lines = append(lines, line)
	}
	if more > 0 {
		lines = append(lines, "and "+Number(more)+" more of single groups, in the JSON")
	}
	if t.Impact != nil {
		for _, text := range t.Impact.Unknown {
			lines = append(lines, Plain(text))
		}
	}
	return lines
}

// NumberList writes groups' numbers, at most eight of them: "groups 1, 2, …".
func NumberList(numbers []int) string {
	texts := make([]string, 0, 9)
	for _, n := range numbers {
		if len(texts) == 8 {
			texts = append(texts, "…")
			break
		}
		texts = append(texts, Number(n))
	}
	if len(numbers) == 1 {
		return "group " + texts[0]
	}
	return "groups " + strings.Join(texts, ", ")
}
