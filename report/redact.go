package report

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"twinrow/detect/casefile"
)

// Redact returns a copy of the document in which every value of a row is
// masked: keys, addresses, names and all other columns, and ids where their
// column is also part of the key or holds an address or a name. Left are
// NULLs, ids, times, and what was decided. A predicate is masked as a whole,
// since it may hold values; so is what a sentence of a group quotes of its rows.
//
// A value has the same mask everywhere in one case and another in any other
// case. The masks are keyed by the digest of case.json, which the copy does
// not hold: who has only redacted documents cannot try addresses out.
func Redact(doc *Document) *Document {
	m := masker{key: []byte(doc.CaseID + "\x00" + doc.CaseSHA256), known: map[string]*string{}}
	redacted := *doc
	redacted.Redacted = true
	redacted.CaseSHA256 = ""
	redacted.Tables = make([]Table, len(doc.Tables))
	for i := range doc.Tables {
		redacted.Tables[i] = m.table(&doc.Tables[i])
	}
	redacted.tell()
	return &redacted
}

type masker struct {
	key   []byte
	known map[string]*string
}

func (m *masker) table(t *Table) Table {
	table := *t
	if t.Where != "" {
		table.Where = *m.mask(&t.Where)
	}
	if t.Untimed != nil {
		table.Untimed = &casefile.Untimed{Rows: t.Untimed.Rows, First: m.mask(t.Untimed.First)}
	}
	hidden := map[string]bool{t.Email: true, t.Person: true}
	for _, part := range t.Key {
		hidden[part] = true
	}
	show := map[string]bool{}
	for _, name := range append([]string{t.Time}, t.ID...) {
		show[name] = !hidden[name]
	}
	table.Groups = make([]Group, len(t.Groups))
	for i, g := range t.Groups {
		m.sentences(&g, show)
		g.Key = m.fields(g.Key, nil)
		g.Differences = m.differences(g.Differences)
		rows := make([]Row, len(g.Rows))
		for j, r := range g.Rows {
			rows[j] = m.row(r, t.Time, show)
		}
		g.Rows = rows
		table.Groups[i] = g
	}
	return table
}

// row masks a row. What stands in the column of times and is no time may be anything.
func (m *masker) row(r Row, timeColumn string, show map[string]bool) Row {
	untimed := r.Time == nil
	r.ID = m.fields(r.ID, func(name string) bool { return show[name] })
	r.Values = m.fields(r.Values, func(name string) bool { return show[name] && !(untimed && name == timeColumn) })
	return r
}

// differences masks the values, and leaves out a sentence that may quote them.
func (m *masker) differences(differences []casefile.Difference) []casefile.Difference {
	var masked []casefile.Difference
	for _, d := range differences {
		values := make([]casefile.Variant, len(d.Values))
		for i, v := range d.Values {
			v.Value = m.mask(v.Value)
			values[i] = v
		}
		d.Values = values
		if d.Kind != "number" && d.Kind != "time" {
			d.Says = "not the same"
		}
		masked = append(masked, d)
	}
	return masked
}

// minQuote is how long a value must be, in bytes, to be looked for in a
// sentence: shorter ones occur in words and figures that are no quotes.
const minQuote = 4

// sentences masks what the sentences of a group quote of its rows.
func (m *masker) sentences(g *Group, show map[string]bool) {
	quoted := map[string]*string{}
	quote := func(f casefile.Fields) {
		for _, field := range f {
			if v := field.Value; v != nil && len(*v) >= minQuote && !show[field.Name] {
				quoted[*v] = v
			}
		}
	}
	quote(g.Key)
	for i := range g.Rows[:min(len(g.Rows), maxQuoted)] {
		quote(g.Rows[i].Values)
	}
	// The longest first, so that no end of a value is left because another
	// value is its beginning.
	longest := slices.SortedFunc(maps.Keys(quoted), func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, v := range longest {
		pairs = append(pairs, v, *m.mask(quoted[v]))
	}
	replacer := strings.NewReplacer(pairs...)
	g.Reasons, g.Unknown = replaceAll(replacer, g.Reasons), replaceAll(replacer, g.Unknown)
	if g.Choice != nil {
		g.Choice = &GroupChoice{Reason: replacer.Replace(g.Choice.Reason), Held: replacer.Replace(g.Choice.Held)}
	}
	rows := make([]Row, len(g.Rows))
	for i, r := range g.Rows {
		r.UsedSince = replaceAll(replacer, r.UsedSince)
		rows[i] = r
	}
	g.Rows = rows
}

// maxQuoted is how many rows of a group are looked at for quotes.
const maxQuoted = 100

func replaceAll(replacer *strings.Replacer, texts []string) []string {
	if texts == nil {
		return nil
	}
	replaced := make([]string, len(texts))
	for i, text := range texts {
		replaced[i] = replacer.Replace(text)
	}
	return replaced
}

// fields masks all values but those of the columns that may be shown.
func (m *masker) fields(f casefile.Fields, show func(string) bool) casefile.Fields {
	masked := make(casefile.Fields, len(f))
	for i, field := range f {
		if show == nil || !show(field.Name) {
			field.Value = m.mask(field.Value)
		}
		masked[i] = field
	}
	return masked
}

func (m *masker) mask(value *string) *string {
	if value == nil {
		return nil
	}
	if known, ok := m.known[*value]; ok {
		return known
	}
	mac := hmac.New(sha256.New, m.key)
	mac.Write([]byte(*value))
	mask := casefile.Masked + hex.EncodeToString(mac.Sum(nil)[:6])
	m.known[*value] = &mask
	return &mask
}
