package plan

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"twinrow/detect/casefile"
)

// Decisions are what a person chose: the CSV of a report with its keep column
// filled in, checked against the case.
type Decisions struct {
	// chosen are the decided groups by number.
	chosen map[int]decision
	record Decided
}

// decision is one group's: the place of the row that stays, and the line that says so.
type decision struct{ row, line int }

// Decided records in plan.json who decided what no rule could, and when.
type Decided struct {
	// By is the user who planned with the file.
	By string `json:"by"`
	// At is RFC 3339 in UTC.
	At string `json:"at"`
	// File is the file's base name, SHA256 its digest in lower-case hexadecimal.
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	// Groups are the numbers of the groups that the file decided, and no rule.
	Groups []int `json:"groups"`
}

// ReadDecisions reads a decision file whole and checks it against the case:
// that it is of this case and not redacted, that its keys and ids are the
// case's, and that each group it decides has all its rows in it and exactly
// one that stays. by and at are what the plan records of the person and the
// time, file is the path as the person named it. Groups without a word in the
// keep column stay undecided here; see Make.
func ReadDecisions(opened *Case, file, by, at string) (*Decisions, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, &Problem{Code: CodeNotFound, Message: "reading the decisions", Hint: "name the CSV that `twinrow report CASE --format csv` wrote and you filled in", Err: err}
	}
	sheet, err := readSheet(file, raw)
	if err != nil {
		return nil, err
	}
	d := &Decisions{chosen: map[int]decision{}, record: Decided{By: by, At: at, File: baseName(file), SHA256: casefile.Digest(raw), Groups: []int{}}}
	if err := sheet.checkCase(opened); err != nil {
		return nil, err
	}
	lines := sheet.byGroup()
	err = opened.EachGroup(func(g *casefile.Group) error {
		mine := lines[g.Number]
		if len(mine) == 0 {
			return nil
		}
		return d.take(sheet, opened.TableNamed(g.Table), g, mine)
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

func baseName(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// take checks the lines of one group and takes its decision, if it holds one.
func (d *Decisions) take(s *sheet, t *CaseTable, g *casefile.Group, lines []sheetLine) error {
	seen := make([]int, len(g.Rows)) // the line of each row
	kept := decision{row: -1}
	decided := false
	for _, line := range lines {
		row, err := s.PathIn(line, t, g)
		if err != nil {
			return err
		}
		if seen[row] != 0 {
			return s.problem(line, fmt.Sprintf("the row %s of group %d stands in line %d already", IDText(g.Rows[row].ID), g.Number, seen[row]), "leave one line for each row")
		}
		seen[row] = line.number
		decided = decided || line.keep != undecided
		switch {
		case line.keep == stays && kept.row >= 0:
			return s.problem(line, fmt.Sprintf("group %d has a second row that stays; the first is in line %d", g.Number, kept.line), "write yes in one line of the group and no in the others")
		case line.keep == stays:
			kept = decision{row, line.number}
		}
	}
	if !decided {
		return nil
	}
	if missing := slices.Index(seen, 0); missing >= 0 {
		return s.problem(lines[0], fmt.Sprintf("group %d has %s, and its row %s is not in the file", g.Number, Count(len(g.Rows), "row"), IDText(g.Rows[missing].ID)), "a decision is about the whole group: put the line back")
	}
	if kept.row < 0 {
		return s.problem(lines[0], fmt.Sprintf("group %d has no row that stays", g.Number), "write yes in the keep column of exactly one of its rows")
	}
	d.chosen[g.Number] = kept
	return nil
}

// choice is the row that a person chose in a group, and why it stays; ok is
// false where nobody did.
func (d *Decisions) choice(g *casefile.Group) (keep Fields, remove []Fields, reason string, ok bool) {
	if d == nil {
		return nil, nil, "", false
	}
	chosen, ok := d.chosen[g.Number]
	if !ok {
		return nil, nil, "", false
	}
	for i, row := range g.Rows {
		if i == chosen.row {
			keep = row.ID
		} else {
			remove = append(remove, row.ID)
		}
	}
	return keep, remove, fmt.Sprintf("decided by %s (line %d of %s)", d.record.By, chosen.line, d.record.File), true
}

// note takes down that a group was decided by the file.
func (d *Decisions) note(group int) { d.record.Groups = append(d.record.Groups, group) }

// restart forgets what was noted, before all is decided again.
func (d *Decisions) restart() {
	if d != nil {
		d.record.Groups = nil
	}
}

// finish refuses decisions that leave a group held back, and puts the rest on
// record. No decision could free those in met, where entries meet.
func (d *Decisions) finish(p *Plan, met map[int]string) error {
	if d == nil {
		return nil
	}
	var open []string
	for _, t := range p.Tables {
		for _, h := range t.Held {
			if _, chosen := d.chosen[h.Number]; !chosen && met[h.Number] == "" { // what refers to a group may hold it all the same
				open = append(open, fmt.Sprintf("group %d (%s)", h.Number, h.Reason))
			}
		}
	}
	if len(open) > 0 {
		const shown = 5
		list := strings.Join(open[:min(shown, len(open))], ", ")
		if more := len(open) - shown; more > 0 {
			list += fmt.Sprintf(" and %d more", more)
		}
		return &Problem{Code: CodeBadInput, Message: fmt.Sprintf("%s leaves %s without a decision: %s", d.record.File, Count(len(open), "held group"), list),
			Hint: "write yes in the keep column of the row that stays and no in the others, for every held group"}
	}
	slices.Sort(d.record.Groups)
	p.Decided = &d.record
	return nil
}
