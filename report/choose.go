package report

import (
	"strconv"
	"strings"

	"twinrow/detect/casefile"
)

// choose hands the plan's choices on to the rows that they name by id.
func (d *Document) choose(choices []Choice) {
	type verdict struct {
		choice *Choice
		fate   Fate
	}
	verdicts := map[string]verdict{}
	for i := range choices {
		c := &choices[i]
		keep, remove := Keep, Remove
		if c.Held != "" {
			keep, remove = "", ""
		}
		if c.Keep != nil {
			verdicts[rowName(c.Table, c.Keep)] = verdict{c, keep}
		}
		for _, id := range c.Remove {
			verdicts[rowName(c.Table, id)] = verdict{c, remove}
		}
	}
	for t := range d.Tables {
		table := &d.Tables[t]
		for g := range table.Groups {
			group := &table.Groups[g]
			for r := range group.Rows {
				row := &group.Rows[r]
				found, ok := verdicts[rowName(table.Name, row.ID)]
				if !ok {
					continue
				}
				row.Fate = found.fate
				group.Choice = &GroupChoice{Reason: found.choice.Reason, Held: found.choice.Held}
			}
		}
	}
}

// rowName is one text for a table and an id, different for different ones.
func rowName(table string, id casefile.Fields) string {
	var b strings.Builder
	b.WriteString(strconv.Quote(table))
	for _, f := range id {
		b.WriteString(strconv.Quote(f.Name))
		if f.Value != nil {
			b.WriteString("=" + strconv.Quote(*f.Value))
		}
	}
	return b.String()
}
