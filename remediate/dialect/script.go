package dialect

import (
	"fmt"
	"strings"
)

// script collects the statements of a file.
type script struct {
	b strings.Builder
	// passed is, for D1, the table in which each check that held is counted, ""
	// where a transaction takes back what a failed one left; checks counts them.
	passed string
	checks int
}

// add appends one statement.
func (s *script) add(sql string) { s.b.WriteString(sql + ";\n") }

func (s *script) addAll(statements []string) {
	for _, sql := range statements {
		s.add(sql)
	}
}

// line appends a line that is no statement, as a client's own command.
func (s *script) line(text string) { s.b.WriteString(text + "\n") }

// comment appends a line for the reader; a name in it cannot end the comment.
func (s *script) comment(text string) {
	text = strings.NewReplacer("\n", " ", "\r", " ", "\x00", " ").Replace(text)
	s.b.WriteString("\n-- " + text + "\n")
}

// do appends a block of PL/pgSQL.
func (s *script) do(lines ...string) { s.add(DoBlock(lines...)) }

// DoBlock writes a block of PL/pgSQL as one statement, in dollar quotes that
// do not occur in it.
func DoBlock(lines ...string) string {
	body := strings.Join(lines, "\n")
	tag := "$twinrow$"
	for n := 1; strings.Contains(body, tag); n++ {
		tag = fmt.Sprintf("$twinrow%d$", n)
	}
	return "DO " + tag + "\n" + body + "\n" + tag
}

func (s *script) String() string { return s.b.String() }
