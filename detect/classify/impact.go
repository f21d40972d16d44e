package classify

import (
	"cmp"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

// Impact sums up who and what the groups of a table affect, as if the first row
// of each group stayed. References must stand in the rows already; counted is
// false where they could not be counted.
func Impact(t *casefile.Table, groups []*casefile.Group, counted bool) *casefile.Impact {
	out := &casefile.Impact{Customers: t.Totals.Customers, Rows: t.Totals.Rows, Surplus: t.Totals.Surplus}
	columns := map[string]int{}
	for _, g := range groups {
		if !g.Identical {
			out.Differing++
		}
		for _, name := range g.Differs {
			columns[name]++
		}
	}
	out.DifferingColumns = ranked(columns)
	sumAmounts(out, t, groups)
	if counted {
		sumReferences(out, t, groups)
	}
	usedBy := map[string]int{}
	for _, g := range groups {
		for _, row := range g.Rows[1:] {
			if len(row.UsedSince) > 0 {
				out.Used++
			}
			for _, why := range row.UsedSince {
				usedBy[why]++
			}
		}
	}
	out.UsedBy = ranked(usedBy)
	return out
}

func ranked(counts map[string]int) []casefile.ColumnCount {
	var out []casefile.ColumnCount
	for name, n := range counts {
		out = append(out, casefile.ColumnCount{Name: name, Count: n})
	}
	slices.SortFunc(out, func(a, b casefile.ColumnCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Name, b.Name))
	})
	return out
}

// sumAmounts adds up the amounts of surplus rows, exactly.
func sumAmounts(out *casefile.Impact, t *casefile.Table, groups []*casefile.Group) {
	if t.Amount == "" {
		return
	}
	money := slices.ContainsFunc(t.Columns, func(c casefile.Column) bool { return c.Name == t.Amount && c.Type == "money" })
	sum, most := new(big.Rat), 0
	for _, g := range groups {
		for _, row := range g.Rows[1:] {
			text, ok := row.Values.Get(t.Amount)
			if money {
				text = strings.NewReplacer("$", "", ",", "").Replace(text) // as lc_monetary C prints it
			}
			value, places, number := decimal(text)
			if !ok || !number {
				out.AmountUnread++
				continue
			}
			sum.Add(sum, value)
			most = max(most, places)
		}
	}
	out.Amount = new(sum.FloatString(most))
	if out.AmountUnread > 0 {
		out.Unknown = append(out.Unknown, fmt.Sprintf("the amount of %s: it is NULL or no number", casefile.Count(out.AmountUnread, "surplus row")))
	}
}

func sumReferences(out *casefile.Impact, t *casefile.Table, groups []*casefile.Group) {
	byKey := map[[2]string]*casefile.ReferenceCount{}
	for _, k := range t.IncomingKeys {
		out.References = append(out.References, casefile.ReferenceCount{ForeignKey: k.Name, Table: k.Table})
	}
	for i := range out.References {
		r := &out.References[i]
		byKey[[2]string{r.ForeignKey, r.Table}] = r
	}
	referred := 0
	for _, g := range groups {
		for _, row := range g.Rows[1:] {
			if len(row.References) > 0 {
				referred++
			}
			for _, ref := range row.References {
				if r := byKey[[2]string{ref.ForeignKey, ref.Table}]; r != nil {
					r.Surplus++
					r.Rows += ref.Rows
				}
			}
		}
	}
	out.Referred = &referred
}

var (
	changed = regexp.MustCompile(`(?i)^(last_?)?(updated|modified|changed)(_?(at|on|time|date))?$`)
	used    = regexp.MustCompile(`(?i)^(last_?)?(used|redeemed|consumed|claimed|scanned|checked_?in|checkedin|opened|viewed|seen|downloaded|activated|fulfilled|shipped|refunded)(_?(at|on|time|date))?$`)
)

// UpdatedColumn is the column that by its name tells when a row was last
// changed, "" where there is none or several.
func UpdatedColumn(columns []source.Column) string {
	found := ""
	for _, c := range columns {
		if changed.MatchString(c.Name) {
			if found != "" {
				return ""
			}
			found = c.Name
		}
	}
	return found
}

// UsedSince says what tells that a row was used after it was written: rows of
// other tables, a later change, or a mark with a time. Marks are known by
// their columns' names, as used_at or checked_in_at.
func UsedSince(row *casefile.Row, e Evidence) []string {
	var why []string
	for _, ref := range row.References {
		why = append(why, "referred to by "+ref.Table)
	}
	if e.By == casefile.ByUpdate {
		why = append(why, "changed since it was written")
	}
	for _, field := range row.Values {
		if field.Value == nil {
			continue
		}
		switch {
		case used.MatchString(field.Name):
			if at, err := source.ParseInstant(*field.Value); err == nil && (e.At == nil || at.Time.After(e.At.Time)) {
				why = append(why, field.Name+" is set")
			}
		case changed.MatchString(field.Name) && e.At != nil && e.By != casefile.ByUpdate:
			// A second's grace: applications write both times, one after the other.
			if at, err := source.ParseInstant(*field.Value); err == nil && at.Time.Sub(e.At.Time) > DefaultWindows.Race {
				why = append(why, field.Name+" is later than the row's own time")
			}
		}
	}
	return why
}
