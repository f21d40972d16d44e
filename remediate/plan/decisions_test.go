package plan

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"twinrow/detect/casefile"

	"github.com/google/go-cmp/cmp"
)

// sheetOf is the decision file of tickets, the keep column filled in.
func sheetOf(opened *Case, keeps ...string) string {
	out := "table,group,key:k,id:id,case,position,keep\n"
	id := casefile.CaseCell(opened.ID)
	for i, row := range []string{"1,a,1,ID,1", "1,a,2,ID,2", "1,a,3,ID,3", "2,a,4,ID,1", "2,a,5,ID,2"} {
		out += "public.tickets," + strings.Replace(row, "ID", id, 1) + "," + keeps[i] + "\n"
	}
	return out
}

func decide(t *testing.T, opened *Case, text string) (*Plan, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "decisions.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := ReadDecisions(opened, file, "ann", "2026-01-02T03:04:05Z")
	if err != nil {
		return nil, err
	}
	o := options
	o.Decisions = d
	return Make(opened, o)
}

func TestAPersonDecides(t *testing.T) {
	opened := tickets(t, nil)
	text := sheetOf(opened, "yes", "no", "no", "no", "yes") // group 1 as the rule has it
	p, err := decide(t, opened, text)
	if err != nil {
		t.Fatal(err)
	}
	want := &Decided{By: "ann", At: "2026-01-02T03:04:05Z", File: "decisions.csv", SHA256: casefile.Digest([]byte(text)), Groups: []int{2}}
	if diff := cmp.Diff(want, p.Decided); diff != "" {
		t.Error(diff)
	}
	groups := p.Tables[0].Groups
	if len(groups) != 2 || len(p.Tables[0].Held) != 0 || IDText(groups[1].Keep) != "id=5" || IDText(groups[1].Remove[0]) != "id=4" {
		t.Fatalf("%+v", p.Tables[0])
	}
	if got := []string{groups[0].Reason, groups[1].Reason}; !slices.Equal(got, []string{"earliest created_at", "decided by ann (line 6 of decisions.csv); the copies differ in note"}) {
		t.Errorf("%q", got)
	}
	if !slices.Contains(p.Hazards, DifferingRows) || p.Tables[0].Operation(OpUniqueIndex) == nil {
		t.Errorf("%v", p.Hazards)
	}
}

// TestAsSpreadsheetsWriteIt: a mark in front, other separators and line ends,
// UTF-16, a line that names the separator, columns moved and added, rows moved,
// empty lines, quotes everywhere.
func TestAsSpreadsheetsWriteIt(t *testing.T) {
	opened := tickets(t, nil)
	plain := sheetOf(opened, "", "", "", "NO", " Yes ")
	id := casefile.CaseCell(opened.ID)
	semicolons := strings.ReplaceAll(plain, ",", ";")
	wide := ""
	for _, unit := range utf16.Encode([]rune(strings.ReplaceAll(plain, ",", "\t"))) {
		wide += string([]byte{byte(unit), byte(unit >> 8)})
	}
	for name, text := range map[string]string{
		"as written": plain,
		"Excel":      "\xef\xbb\xbf" + strings.ReplaceAll(semicolons, "\n", "\r\n") + ";;;;;;\r\n\r\n",
		"sep=":       "sep=;\r\n" + strings.ReplaceAll(semicolons, "\n", "\r\n"),
		"Unicode":    "\xff\xfe" + wide,
		"quoted":     `"` + strings.NewReplacer(",", `","`, "\n", "\"\n\"").Replace(strings.TrimSpace(plain)) + `"`,
		"moved":      "keep;note;id:id;GROUP;case\nno;look, \"\"here\"\";4;2;" + id + "\nx;;5;2;" + id + "\n",
		"alone":      "group,id:id,keep\n2,5,1\n2,4,0\n",
	} {
		t.Run(name, func(t *testing.T) {
			if name == "moved" {
				text = strings.ReplaceAll(text, `look, ""here""`, `"look, ""here"""`)
			}
			p, err := decide(t, opened, text)
			if err != nil {
				t.Fatal(err)
			}
			if keep := IDText(p.Tables[0].Groups[1].Keep); keep != "id=5" {
				t.Errorf("kept %s", keep)
			}
		})
	}
}

func TestDecisionsAreCheckedWhole(t *testing.T) {
	opened := tickets(t, nil)
	whole := sheetOf(opened, "", "", "", "no", "yes")
	change := func(from, to string) string {
		if !strings.Contains(whole, from) {
			t.Fatalf("nothing to change: %s", from)
		}
		return strings.Replace(whole, from, to, 1)
	}
	for want, text := range map[string]string{
		"decisions.csv leaves 1 held group without a decision: group 2 (the copies differ in note)": sheetOf(opened, "yes", "no", "no", "", ""),
		"line 5: group 2 has no row that stays":                                                     sheetOf(opened, "", "", "", "no", ""),
		"line 6: group 2 has a second row that stays; the first is in line 5":                       sheetOf(opened, "", "", "", "yes", "yes"),
		`line 6: the keep column says "maybe"`:                                                      change("yes", "maybe"),
		"line 5: group 2 has no row id=9; it has id=4; id=5":                                        change(",4,case", ",9,case"),
		"line 6: group 2 has no row id=5.0":                                                         change(",5,case", ",5.0,case"),
		"line 5: key:k of group 2 is not as the case has it":                                        change("2,a,4", "2,b,4"),
		"line 5: the file is a redacted report":                                                     change("2,a,4", "2,masked:0123456789ab,4"),
		`line 5: group 2 is of the table public.tickets, and the line says "public.seats"`:          change("public.tickets,2", "public.seats,2"),
		"line 6: the case has no group 7":                                                           change("2,a,5", "7,a,5"),
		`line 6: "two" is not the number of a group`:                                                change("2,a,5", "two,a,5"),
		"line 6: the row id=4 of group 2 stands in line 5 already":                                  change("2,a,5", "2,a,4"),
		"line 5: group 2 has 2 rows, and its row id=4 is not in the file":                           change("public.tickets,2,a,4,"+casefile.CaseCell(opened.ID)+",1,no\n", ""),
		`line 2: it is of the case "0123456789ab", and this is ` + opened.ID:                        change(casefile.CaseCell(opened.ID), "case-0123456789ab"),
		`line 1: there is no column "keep"`:                                                         change("keep", "kept"),
		`line 1: there is no column "id:id"`:                                                        change("id:id", "id"),
		`line 1: there are two columns "keep"`:                                                      change("position", "keep"),
		"line 3: the text is not UTF-8":                                                             change("1,a,2", "1,\xe4,2"),
		"line 4: this is not CSV":                                                                   change("1,a,3", "1,\"a\"b,3"),
		"line 1: this is a workbook, not CSV":                                                       "PK\x03\x04",
		"line 1: the file is empty":                                                                 "",
	} {
		_, err := decide(t, opened, text)
		wantCode(t, err, CodeBadInput)
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got  %s\nwant %s", err, want)
		}
	}
	_, err := ReadDecisions(opened, filepath.Join(t.TempDir(), "none.csv"), "ann", "")
	wantCode(t, err, CodeNotFound)
}

// TestHostileIDs: what a report guards or escapes is found again.
func TestHostileIDs(t *testing.T) {
	for _, value := range []string{"=1+1", "'=x", "\x1b[31m", "a\r\nb", "-5", "007", " x ", "\xff", "a,b;\"c\""} {
		cell := casefile.Cell(&value)
		for _, written := range []string{cell, strings.ReplaceAll(cell, "\n", "\r\n")} {
			if !sameCell(written, &value) {
				t.Errorf("%q was written %q and is not found again", value, written)
			}
		}
	}
	if sameCell("7", new("007")) || sameCell("", new("x")) || !sameCell("", nil) {
		t.Error("a mangled id was taken")
	}
}

func FuzzReadSheet(f *testing.F) {
	f.Add([]byte("table,group,key:k,id:id,keep,case\nt,1,a,1,yes,case-0\nt,1,a,2,no,case-0\n"))
	f.Add([]byte("\xef\xbb\xbfgroup;id:id;keep\r\n1;=x;\r\n"))
	f.Add([]byte("\xff\xfeg\x00r\x00"))
	f.Add([]byte("sep=;\n\"group\n\";keep\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := readSheet("f.csv", raw)
		if err != nil {
			var p *Problem
			if !errors.As(err, &p) || p.Hint == "" || !strings.HasPrefix(p.Message, "f.csv line ") {
				t.Fatalf("%v", err)
			}
			return
		}
		last := 0
		for _, line := range s.lines {
			if line.number <= last || len(line.cells) == 0 {
				t.Fatalf("line %d after %d", line.number, last)
			}
			last = line.number
		}
	})
}
