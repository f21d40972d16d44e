package sqlite

import (
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/queries"
)

// statement loads one of the source's statements and fills its slots; slots
// are pairs of a name and SQL that is already quoted. The header goes first:
// what is put into a comment could end it.
func statement(name string, slots ...string) string {
	var lines []string
	for line := range strings.Lines(queries.SQLite("source_" + name)) {
		if !strings.HasPrefix(line, "--") {
			lines = append(lines, line)
		}
	}
	pairs := make([]string, 0, len(slots))
	for i := 0; i < len(slots); i += 2 {
		pairs = append(pairs, "{"+slots[i]+"}", slots[i+1])
	}
	return strings.NewReplacer(pairs...).Replace(strings.TrimSpace(strings.Join(lines, "")))
}

// run executes one statement with text arguments and hands each row to visit,
// which may be nil where the statement returns none.
func run(conn *sqlite.Conn, query string, visit func(*sqlite.Stmt) error, args ...string) error {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	for i, arg := range args {
		stmt.BindText(i+1, arg)
	}
	return each(stmt, visit)
}

// each steps through a statement and leaves it reset.
func each(stmt *sqlite.Stmt, visit func(*sqlite.Stmt) error) error {
	for {
		row, err := stmt.Step()
		if err != nil {
			return err
		}
		if !row {
			return stmt.Reset()
		}
		if visit == nil {
			continue
		}
		if err := visit(stmt); err != nil {
			stmt.Reset()
			return err
		}
	}
}
