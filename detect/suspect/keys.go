package suspect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/detect/source"
)

// Bounds on the share of distinct values: near is so many that the column
// looks like a key, few so many fewer that it does not.
const (
	near = 0.9
	few  = 0.5
	// mayHaveParts is the score of names past which a value means one row, as
	// an event's id; a payment may be of several tickets.
	mayHaveParts = 81
	// enough is how many rows make a share mean something.
	enough = 100
)

// byNames is what names and statistics say of single columns, and of a place
// under a parent.
func byNames(t *source.CatalogueTable, tables map[string]bool) []Suspect {
	var found []Suspect
	add := func(s Suspect) {
		if holds(t, s.Key, false) {
			return
		}
		s.Kind = NoIndex
		if x := partial(t, s.Key); x != nil {
			s.Kind, s.Index = Partial, x.Name
			s.Score -= 15
			s.Reasons = append(s.Reasons, fmt.Sprintf("the unique index %s speaks only of rows where %s", x.Name, x.Where))
		} else {
			s.Reasons = append(s.Reasons, "no index keeps it unique")
		}
		found = append(found, s)
	}
	pairs := underParents(t, tables)
	for i := range t.Columns {
		c := &t.Columns[i]
		s := Suspect{Key: []string{c.Name}}
		if s.Score, s.Reasons = single(t, c, tables); s.Score == 0 {
			continue
		}
		// Of a key of two the parent alone is one only where statistics say so.
		inPair := slices.ContainsFunc(pairs, func(p Suspect) bool { return slices.Contains(p.Key, c.Name) })
		if !inPair || c.Distinct >= near && t.Rows >= enough || partial(t, s.Key) != nil {
			add(s)
		}
	}
	for _, s := range pairs {
		add(s)
	}
	return found
}

// single weighs one column; 0 is no suspicion.
func single(t *source.CatalogueTable, c *source.CatalogueColumn, tables map[string]bool) (score int, reasons []string) {
	if !canBeKey(c) {
		return 0, nil
	}
	known := c.Distinct >= 0 && t.Rows >= enough
	score, reason := meaning(c.Name)
	if score == 0 {
		score, reason = address(t, c.Name)
	}
	if score > 0 {
		reasons = append(reasons, reason)
	}
	if isReference(c, tables) {
		if !known || c.Distinct < near || score == 0 {
			return 0, nil // many rows may refer to one
		}
		score -= 25
		reasons = append(reasons, "yet it refers to another table, of which it may be one of many")
	}
	if c.Prefix != "" && known && c.Distinct >= near {
		score = max(score, 60) + 5
		reasons = append(reasons, looksLike(c))
	}
	switch {
	case !known:
		return score, reasons
	case c.Distinct < few:
		return belowFew(score, c, reasons)
	case c.Distinct >= near:
		if score == 0 {
			if !looksLikeID(c) {
				return 0, nil
			}
			score = 35
		}
		return score + 8, append(reasons, distinct(c))
	}
	return score, reasons
}

// belowFew keeps only the strongest names: for those, many repeats are worse news.
func belowFew(score int, c *source.CatalogueColumn, reasons []string) (int, []string) {
	if score < 85 {
		return 0, nil
	}
	return score - 30, append(reasons, "but only "+percent(c.Distinct)+" of its values are distinct")
}

func distinct(c *source.CatalogueColumn) string {
	if c.Distinct >= 1 {
		return "all values that statistics sampled are distinct"
	}
	return "by the statistics " + percent(c.Distinct) + " of its values are distinct"
}

func looksLike(c *source.CatalogueColumn) string {
	if c.Prefix == "uuid" {
		return "its values look like UUIDs"
	}
	return "its values look like ids that another system gave, as " + c.Prefix + "…"
}

// canBeKey leaves out types and sizes that no key has.
func canBeKey(c *source.CatalogueColumn) bool {
	if c.Width > 80 {
		return false
	}
	return !slices.ContainsFunc([]string{"bool", "json", "timestamp", "date", "time", "interval", "double", "real", "float", "bytea", "blob", "tsvector", "[]", "range", "point", "geometry", "xml", "money"},
		func(no string) bool {
			return strings.HasPrefix(c.Type, no) || no == "[]" && strings.HasSuffix(c.Type, no)
		})
}

// looksLikeID tells, of a column whose name says nothing of being unique,
// whether it may be an id at all: a name or an amount is near unique too.
func looksLikeID(c *source.CatalogueColumn) bool {
	words := snake(c.Name)
	if words == "id" || strings.HasPrefix(c.Type, "uuid") {
		return true
	}
	for _, end := range []string{"_id", "_key", "_ref", "_reference", "_number", "_no", "_code", "_uid", "_uuid", "_guid", "_token", "_hash", "_sid"} {
		if strings.HasSuffix(words, end) || words == end[1:] {
			return true
		}
	}
	return words == "email"
}

// isReference tells a column that points to rows of another table: by a
// foreign key, or by the name of a table that is there.
func isReference(c *source.CatalogueColumn, tables map[string]bool) bool {
	if c.Refers != "" {
		return true
	}
	parent, ok := strings.CutSuffix(snake(c.Name), "_id")
	return ok && (tables[parent] || tables[parent+"s"] || tables[parent+"es"] || strings.HasSuffix(parent, "y") && tables[strings.TrimSuffix(parent, "y")+"ies"])
}

// underParents finds (parent_id, number): a number that starts anew for each
// parent. The parent is an id from outside before a reference to a table.
func underParents(t *source.CatalogueTable, tables map[string]bool) []Suspect {
	var found []Suspect
	for i := range t.Columns {
		number := &t.Columns[i]
		if !isOrdinal(number.Name) || !canBeKey(number) || number.Distinct >= near && t.Rows >= enough {
			continue
		}
		parent, score, reason := parentOf(t, number, tables)
		if parent == nil {
			continue
		}
		found = append(found, Suspect{Key: []string{parent.Name, number.Name}, Score: score, Reasons: []string{reason}})
	}
	return found
}

func parentOf(t *source.CatalogueTable, number *source.CatalogueColumn, tables map[string]bool) (parent *source.CatalogueColumn, score int, reason string) {
	for i := range t.Columns {
		c := &t.Columns[i]
		if c == number || !canBeKey(c) || holds(t, []string{c.Name}, false) {
			continue
		}
		named, _ := meaning(c.Name)
		switch {
		case isOrdinal(c.Name):
		case named >= 70 && named <= mayHaveParts && named > score:
			parent, score = c, named
			reason = fmt.Sprintf("%s counts under %s: each number is there once", number.Name, c.Name)
		case score == 0 && isReference(c, tables):
			parent, score = c, 58
			reason = fmt.Sprintf("%s counts under its parent %s: each number is there once", number.Name, c.Name)
		}
	}
	return parent, score, reason
}
