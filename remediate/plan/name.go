package plan

import "strings"

// SplitName splits a table's canonical name into schema and name. Only
// Postgres has schemas here; a part may stand in double quotes, and a name of
// SQLite is taken as it stands.
func SplitName(engine, table string) (schema, name string) {
	if engine != "postgres" {
		return "", table
	}
	first, rest, dotted := cutIdent(table)
	if !dotted {
		return "", first
	}
	second, more, _ := cutIdent(rest)
	if more != "" { // an unquoted name that holds a dot
		second = rest
	}
	return first, second
}

// cutIdent takes the first identifier off a dotted name.
func cutIdent(text string) (ident, rest string, dotted bool) {
	if !strings.HasPrefix(text, `"`) {
		return strings.Cut(text, ".")
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '"':
			b.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == '"':
			b.WriteByte('"')
			i++
		default:
			after := text[i+1:]
			return b.String(), strings.TrimPrefix(after, "."), strings.HasPrefix(after, ".")
		}
	}
	return text, "", false // no closing quote: the quote is part of the name
}

// QuarantineTable names the table that keeps removed rows. In Postgres it is
// one for a schema, and keeps rows as text that casts back to the row. In
// SQLite, where a value keeps its exact type only in a column of its own, it is
// one for a table and case.
func QuarantineTable(engine, table, caseID string) string {
	schema, name := SplitName(engine, table)
	switch {
	case engine != "postgres":
		return "twinrow_quarantine_" + name + "_" + caseID
	case schema == "":
		return "twinrow_quarantine"
	default:
		return table[:len(table)-lastPart(table)] + "twinrow_quarantine"
	}
}

// ChangesTable names the table that keeps rows which were changed or deleted
// beside those that were planned to go; in SQLite it is one for each such
// table, whose name is given.
func ChangesTable(engine, table, caseID string) string {
	if engine != "postgres" {
		return "twinrow_changes_" + table + "_" + caseID
	}
	return QuarantineTable(engine, table, caseID) + "_changes"
}

// lastPart is the length of what stands after the schema and its dot.
func lastPart(table string) int {
	if strings.HasPrefix(table, `"`) {
		_, rest, _ := cutIdent(table)
		return len(rest)
	}
	return len(table) - strings.Index(table, ".") - 1
}
