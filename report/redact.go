package report

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"twinrow/detect/casefile"
)

// Redact returns a copy of the document in which every value of a row is
// masked: keys, addresses, names and all other columns, and ids where their
// column is also part of the key or holds an address or a name. Left are
// NULLs, ids, times, and what was decided. A predicate is masked as a whole,
// since it may hold values.
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
		g.Key = m.fields(g.Key, nil)
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
	mask := "masked:" + hex.EncodeToString(mac.Sum(nil)[:6])
	m.known[*value] = &mask
	return &mask
}
