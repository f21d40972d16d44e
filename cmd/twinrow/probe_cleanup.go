package main

import (
	"fmt"
	"regexp"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/probe"
)

// countedRows takes the tables and the condition out of a row check.
var countedRows = regexp.MustCompile(`(?is)^\s*select\s+count\s*\(\s*\*\s*\)(?:\s+as\s+\w+)?\s+from\s+(.+?)\s*;?\s*$`)

// joined is what makes a DELETE of such a condition say something else.
var joined = regexp.MustCompile(`(?i)\bjoin\b|\bgroup\s+by\b|\bhaving\b|\blimit\b|\bunion\b|^[^()]*,[^()]*\bwhere\b|^\s*\(`)

// cleanupSQL says how to find the rows that a probe made, by its own row
// checks, and how to remove them. It is for a person to read and to run.
func cleanupSQL(r *probe.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- Rows that run %s made, by its row checks. Look first; remove what you do not need.\n", r.RunID)
	if len(r.Made) == 0 {
		b.WriteString("-- The probe checked no rows by key, so it cannot tell which are its own: give expect.rows with args.\n")
	}
	for _, made := range r.Made {
		fmt.Fprintf(&b, "\n-- %s\n", oneLine(made.Check))
		match := countedRows.FindStringSubmatch(made.SQL)
		for _, args := range made.Args {
			if match == nil {
				fmt.Fprintf(&b, "%s;\n", withValues(strings.TrimRight(strings.TrimSpace(made.SQL), ";"), args))
				continue
			}
			from := withValues(match[1], args)
			fmt.Fprintf(&b, "SELECT * FROM %s;\n", from)
			if !joined.MatchString(match[1]) && len(args) > 0 {
				fmt.Fprintf(&b, "-- DELETE FROM %s;\n", strings.ReplaceAll(from, "\n", "\n-- "))
			}
		}
		if made.LeftOff > 0 {
			fmt.Fprintf(&b, "-- and %d more that were not kept\n", made.LeftOff)
		}
	}
	return b.String()
}

// sqlPart is a literal, a quoted name, a comment, or a placeholder: only the
// last is replaced.
var sqlPart = regexp.MustCompile(`(?s)'(?:[^']|'')*'|"[^"]*"|--[^\n]*|/\*.*?\*/|\$\d+|\?`)

// withValues puts the values of a check in place of its placeholders. Comments
// go: one at the end would hide the semicolon.
func withValues(sql string, args []string) string {
	next := 0
	value := func(n int) string {
		if n < 0 || n >= len(args) {
			return "NULL"
		}
		return queries.Literal(args[n])
	}
	text := sqlPart.ReplaceAllStringFunc(sql, func(part string) string {
		switch {
		case part == "?":
			next++
			return value(next - 1)
		case part[0] == '$':
			n := 0
			_, _ = fmt.Sscanf(part, "$%d", &n)
			return value(n - 1)
		case strings.HasPrefix(part, "--") || strings.HasPrefix(part, "/*"):
			return " "
		}
		return part
	})
	return strings.TrimSpace(text)
}
