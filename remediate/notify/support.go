package notify

import (
	"encoding/csv"
	"io"
	"regexp"
	"strconv"
	"strings"

	"twinrow/detect/casefile"
)

// maxCell is just under what a cell of a spreadsheet holds, in characters
// (Excel: 32,767).
const maxCell = 32_000

// writeSupport writes one line a mail for the help desk. refunds say of each
// mail what it says about money.
func writeSupport(w io.Writer, mails []Mail, entries map[int]entry, refunds []string) error {
	rows := [][]string{{"address", "name", "groups", "use", "disregard", "file", "language", "refund", "subject"}}
	for i, m := range mails {
		var use, disregard []string
		for _, number := range m.Groups {
			e, known := entries[number]
			if !known {
				continue
			}
			use = append(use, e.table.Name+" "+idText(e.keep.ID))
			for _, row := range e.drop {
				disregard = append(disregard, e.table.Name+" "+idText(row.ID))
			}
		}
		rows = append(rows, []string{m.To, m.Name, numbers(m.Groups), strings.Join(use, ", "), strings.Join(disregard, ", "), m.File, m.Language, refunds[i], m.Subject})
	}
	return writeCSV(w, rows)
}

// writeSkipped writes one line a group that nobody is written to about.
func writeSkipped(w io.Writer, skipped []Skip) error {
	rows := [][]string{{"group", "table", "address", "name", "reason", "detail"}}
	for _, s := range skipped {
		rows = append(rows, []string{strconv.Itoa(s.Group), s.Table, s.Address, s.Name, string(s.Reason), s.Detail})
	}
	return writeCSV(w, rows)
}

func writeCSV(w io.Writer, rows [][]string) error {
	out := csv.NewWriter(w)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = guardCell(cleanLine(cell, maxCell))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

var (
	// formulaStart is where a spreadsheet would begin to calculate: at the
	// start of a cell, and after what some locales take for the end of one. The
	// wide forms are what Japanese locales take for the same signs.
	formulaStart = regexp.MustCompile(`(^|[;,|"'])(\s*)([=+\-@＝＋－＠])`)
	plainNumber  = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
)

// guardCell keeps a spreadsheet from taking a value for a formula, by an
// apostrophe before it. Numbers stay as they are.
func guardCell(cell string) string {
	if plainNumber.MatchString(cell) {
		return cell
	}
	return formulaStart.ReplaceAllString(cell, "$1$2'$3")
}

func idText(id casefile.Fields) string {
	var parts []string
	for _, field := range id {
		if field.Value != nil {
			parts = append(parts, field.Name+" "+*field.Value)
		}
	}
	return strings.Join(parts, " ")
}

func numbers(list []int) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, " ")
}
