package plan

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"twinrow/detect/casefile"
)

// sheet is a decision file as a spreadsheet wrote it.
type sheet struct {
	name    string
	columns map[string]int
	// head is the line of the header.
	head  sheetLine
	lines []sheetLine
}

// sheetLine is one line: its number in the file, and what it says.
type sheetLine struct {
	number, group int
	keep          verdict
	cells         []string
}

// verdict is what the keep column says of a row.
type verdict int

const (
	undecided verdict = iota
	stays
	goes
)

// verdicts are the words of the keep column, in small letters.
var verdicts = map[string]verdict{
	"": undecided, "yes": stays, "y": stays, "x": stays, "true": stays, "1": stays, "keep": stays,
	"no": goes, "n": goes, "false": goes, "0": goes, "remove": goes,
}

// readSheet reads CSV with commas, semicolons or tabs, in UTF-8 or UTF-16, with
// any line ends: what Excel and LibreOffice write.
func readSheet(file string, raw []byte) (*sheet, error) {
	s := &sheet{name: baseName(file), columns: map[string]int{}}
	text, err := s.decode(raw)
	if err != nil {
		return nil, err
	}
	first := 1
	if head, rest, ok := strings.Cut(text, "\n"); ok && strings.HasPrefix(strings.ToLower(head), "sep=") {
		text, first = rest, 2
	}
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comma, reader.FieldsPerRecord = separator(text), -1
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, s.unreadable(err, first)
		}
		number, _ := reader.FieldPos(0)
		number += first - 1
		if len(s.columns) == 0 {
			if err := s.header(number, cells); err != nil {
				return nil, err
			}
			continue
		}
		if err := s.add(number, cells); err != nil {
			return nil, err
		}
	}
	if len(s.columns) == 0 {
		return nil, s.problem(sheetLine{number: 1}, "the file is empty", decisionsHint)
	}
	return s, nil
}

const decisionsHint = "write the file anew with `twinrow report CASE --format csv -o decisions.csv`, fill in its keep column and save it as CSV"

// problem is one of a line of the file.
func (s *sheet) problem(at sheetLine, message, hint string) error {
	return &Problem{Code: CodeBadInput, Message: fmt.Sprintf("%s line %d: %s", s.name, at.number, message), Hint: hint}
}

func (s *sheet) unreadable(err error, first int) error {
	at := sheetLine{number: first}
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		at.number, err = parse.StartLine+first-1, parse.Err
	}
	return s.problem(at, "this is not CSV: "+err.Error(), decisionsHint)
}

// decode takes off the mark that some programs put in front, and reads UTF-16.
func (s *sheet) decode(raw []byte) (string, error) {
	for mark, big := range map[string]bool{"\xff\xfe": false, "\xfe\xff": true} {
		if rest, ok := bytes.CutPrefix(raw, []byte(mark)); ok {
			return fromUTF16(rest, big), nil
		}
	}
	text := string(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
	for number, line := range strings.Split(text, "\n") {
		if !utf8.ValidString(line) {
			return "", s.problem(sheetLine{number: number + 1}, "the text is not UTF-8", "save the sheet as \"CSV UTF-8\"; in LibreOffice choose the character set Unicode (UTF-8)")
		}
	}
	if strings.HasPrefix(text, "PK\x03\x04") {
		return "", s.problem(sheetLine{number: 1}, "this is a workbook, not CSV", "save the sheet as \"CSV UTF-8\"")
	}
	return text, nil
}

func fromUTF16(raw []byte, big bool) string {
	units := make([]uint16, len(raw)/2)
	for i := range units {
		low, high := raw[2*i], raw[2*i+1]
		if big {
			low, high = high, low
		}
		units[i] = uint16(low) | uint16(high)<<8
	}
	return string(utf16.Decode(units))
}

// separator is the sign that stands most often in the header outside quotes.
func separator(text string) rune {
	head, _, _ := strings.Cut(text, "\n")
	counts, quoted := map[rune]int{}, false
	for _, r := range head {
		if r == '"' {
			quoted = !quoted
		} else if !quoted {
			counts[r]++
		}
	}
	best := ','
	for _, r := range ";\t" {
		if counts[r] > counts[best] {
			best = r
		}
	}
	return best
}

// header finds the columns, in any order and among others.
func (s *sheet) header(number int, cells []string) error {
	s.head = sheetLine{number: number}
	for i, cell := range cells {
		name := strings.TrimSpace(cell)
		if lower := strings.ToLower(name); slices.Contains([]string{casefile.CaseColumn, casefile.TableColumn, casefile.GroupColumn, casefile.KeepColumn}, lower) {
			name = lower
		}
		if _, twice := s.columns[name]; twice && name != "" {
			return s.problem(s.head, fmt.Sprintf("there are two columns %q", casefile.Plain(name)), "leave one of them")
		}
		s.columns[name] = i
	}
	for _, needed := range []string{casefile.GroupColumn, casefile.KeepColumn} {
		if _, ok := s.columns[needed]; !ok {
			return s.problem(s.head, fmt.Sprintf("there is no column %q", needed), decisionsHint)
		}
	}
	return nil
}

// add takes one line; lines of empty cells, as spreadsheets leave them, are none.
func (s *sheet) add(number int, cells []string) error {
	if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
		return nil
	}
	line := sheetLine{number: number, cells: cells}
	group, _ := s.cell(line, casefile.GroupColumn)
	n, err := strconv.Atoi(strings.TrimSpace(group))
	if err != nil {
		return s.problem(line, fmt.Sprintf("%q is not the number of a group", casefile.Plain(group)), "keep the group column as the report wrote it")
	}
	said, _ := s.cell(line, casefile.KeepColumn)
	keep, ok := verdicts[strings.ToLower(strings.TrimSpace(said))]
	if !ok {
		return s.problem(line, fmt.Sprintf("the keep column says %q", casefile.Plain(said)), "write yes for the row that stays and no for one that goes")
	}
	line.group, line.keep = n, keep
	s.lines = append(s.lines, line)
	return nil
}

// cell is what a line holds in a column; ok is false where the file has no such column.
func (s *sheet) cell(line sheetLine, column string) (text string, ok bool) {
	at, ok := s.columns[column]
	if !ok || at >= len(line.cells) {
		return "", ok
	}
	return line.cells[at], true
}

// checkCase refuses the file of another case, where it says whose it is, and
// groups that the case does not have.
func (s *sheet) checkCase(opened *Case) error {
	for _, line := range s.lines {
		if line.group < 1 || line.group > opened.Evidence.Groups {
			return s.problem(line, fmt.Sprintf("the case has no group %d", line.group), "keep the group column as the report wrote it")
		}
		if text, ok := s.cell(line, casefile.CaseColumn); ok && strings.TrimSpace(text) != casefile.CaseCell(opened.ID) {
			return s.problem(line, fmt.Sprintf("it is of the case %q, and this is %s", casefile.Plain(strings.TrimPrefix(strings.TrimSpace(text), "case-")), opened.ID), "take the CSV of this case's own report")
		}
	}
	return nil
}

// byGroup puts the lines together by their group.
func (s *sheet) byGroup() map[int][]sheetLine {
	groups := map[int][]sheetLine{}
	for _, line := range s.lines {
		groups[line.group] = append(groups[line.group], line)
	}
	return groups
}

// locate finds the row that a line speaks of, and sees that nothing that names
// it was changed.
func (s *sheet) PathIn(line sheetLine, t *CaseTable, g *casefile.Group) (int, error) {
	if table, ok := s.cell(line, casefile.TableColumn); ok && !sameCell(table, &g.Table) {
		return 0, s.problem(line, fmt.Sprintf("group %d is of the table %s, and the line says %q", g.Number, casefile.Plain(g.Table), casefile.Plain(table)), "keep the table and group columns as the report wrote them")
	}
	for _, part := range g.Key {
		text, ok := s.cell(line, casefile.KeyPrefix+casefile.CellText(part.Name))
		if ok && !sameCell(text, part.Value) {
			return 0, s.otherValue(line, g, casefile.KeyPrefix+part.Name, text)
		}
	}
	var said []string
	at := slices.IndexFunc(g.Rows, func(r casefile.Row) bool {
		return !slices.ContainsFunc(r.ID, func(f Field) bool {
			text, ok := s.cell(line, casefile.IDPrefix+casefile.CellText(f.Name))
			return !ok || !sameCell(text, f.Value)
		})
	})
	if at >= 0 {
		return at, nil
	}
	for _, name := range t.ID {
		text, ok := s.cell(line, casefile.IDPrefix+casefile.CellText(name))
		if !ok {
			return 0, s.problem(s.head, fmt.Sprintf("there is no column %q", casefile.IDPrefix+casefile.Plain(name)), decisionsHint)
		}
		said = append(said, name+"="+text)
	}
	var rows []string
	for _, r := range g.Rows[:min(len(g.Rows), 5)] {
		rows = append(rows, IDText(r.ID))
	}
	return 0, s.problem(line, fmt.Sprintf("group %d has no row %s; it has %s", g.Number, casefile.Plain(strings.Join(said, ", ")), casefile.Plain(strings.Join(rows, "; "))), mangledHint)
}

const mangledHint = "keep the id and key columns as the report wrote them; where the spreadsheet rounds or reformats them, import those columns as text"

// otherValue says that a key is not the case's.
func (s *sheet) otherValue(line sheetLine, g *casefile.Group, column, text string) error {
	if strings.HasPrefix(text, casefile.Masked) {
		return s.problem(line, "the file is a redacted report, whose keys cannot be checked", "decide in an unredacted one: `twinrow report CASE --format csv -o decisions.csv`")
	}
	return s.problem(line, fmt.Sprintf("%s of group %d is not as the case has it: it was changed, or the spreadsheet reformatted it", casefile.Plain(column), g.Number), mangledHint)
}

// sameCell compares a cell with the value it was written of. Line ends inside
// a cell are as the spreadsheet makes them.
func sameCell(cell string, value *string) bool {
	lines := func(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }
	want := casefile.Cell(value)
	if lines(cell) == lines(want) {
		return true
	}
	if value == nil { // NULL
		return strings.TrimSpace(cell) == ""
	}
	return wholeNumber.MatchString(*value) && strings.TrimSpace(cell) == *value
}

var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)
