package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
)

// filler carries out the statements of a dump.
type filler struct {
	conn *sqlite.Conn
	name string
	// inside is true between the dump's own BEGIN and COMMIT.
	inside bool
	// wrangler is true where the dump begins as those of D1 do.
	wrangler bool
	ran      int
}

// readChunk is how much of a dump is read at once.
const readChunk = 256 << 10

// prepare makes the database quick to fill, since nobody needs it after a
// crash, and unable to reach anything but itself.
func (l *filler) prepare(opts DumpOptions) error {
	pragmas := []string{"PRAGMA journal_mode=off", "PRAGMA synchronous=off", "PRAGMA trusted_schema=off", "PRAGMA foreign_keys=off", "PRAGMA temp_store=memory"}
	if opts.MaxBytes > 0 {
		pragmas = append(pragmas, "PRAGMA max_page_count="+strconv.FormatInt(max(1, opts.MaxBytes/4096), 10))
	}
	for _, pragma := range append(pragmas, "BEGIN") {
		if err := run(l.conn, pragma, nil); err != nil {
			return err
		}
	}
	if err := l.conn.SetDefensive(true); err != nil {
		return err
	}
	l.conn.Limit(sqlite.LimitAttached, 0)
	l.conn.Limit(sqlite.LimitSQLLength, maxStatement)
	l.conn.Limit(sqlite.LimitLength, maxStatement)
	if err := l.conn.CreateFunction("unistr", &sqlite.FunctionImpl{NArgs: 1, Deterministic: true, Scalar: unistr}); err != nil {
		return err
	}
	return l.conn.SetAuthorizer(sqlite.AuthorizeFunc(authorize))
}

// finish makes the database one that can only be read.
func (l *filler) finish() error {
	if err := l.conn.SetAuthorizer(nil); err != nil {
		return err
	}
	if err := run(l.conn, "COMMIT", nil); err != nil {
		return err
	}
	return run(l.conn, "PRAGMA query_only=on", nil)
}

// authorize lets a dump make and fill tables of its own database, and no more.
func authorize(action sqlite.Action) sqlite.AuthResult {
	switch action.Type() {
	case sqlite.OpCreateTable, sqlite.OpCreateIndex, sqlite.OpCreateView, sqlite.OpCreateTrigger,
		sqlite.OpDropTable, sqlite.OpDropIndex, sqlite.OpDropView, sqlite.OpDropTrigger,
		sqlite.OpInsert, sqlite.OpUpdate, sqlite.OpDelete, sqlite.OpRead, sqlite.OpSelect,
		sqlite.OpReindex, sqlite.OpAnalyze, sqlite.OpAlterTable:
		return sqlite.AuthResultOK
	case sqlite.OpFunction: // those that load code are off unless a program turns them on
		return sqlite.AuthResultOK
	}
	return sqlite.AuthResultDeny
}

// run carries out every statement.
func (l *filler) run(ctx context.Context, from io.Reader) error {
	script := newSplitter(from, readChunk)
	for {
		text, line, ended, err := script.next()
		switch {
		case errors.Is(err, io.EOF):
			return l.whole()
		case err != nil:
			return l.readProblem(line, err)
		case ctx.Err() != nil:
			return ctx.Err()
		case !ended:
			return l.cutShort(fmt.Sprintf("the statement on line %d does not end", line))
		}
		if err := l.statement(text); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return l.problem(line, err)
		}
	}
}

// errUndone is how a dump says of itself that it failed.
var errUndone = errors.New("the dump takes itself back")

// statement carries out one, unless it is a setting or the frame of the whole.
func (l *filler) statement(text []byte) error {
	words := firstWords(text)
	switch first := words[0]; {
	case first == "":
		return nil
	case first == "PRAGMA":
		l.wrangler = l.wrangler || l.ran == 0 && words[1] == "DEFER_FOREIGN_KEYS"
		return nil
	case first == "BEGIN":
		l.inside = true
		return nil
	case first == "COMMIT" || first == "END":
		l.inside = false
		return nil
	case first == "ROLLBACK":
		return errUndone
	case first == "INSERT" && words[1] == "INTO" && (words[2] == "SQLITE_SCHEMA" || words[2] == "SQLITE_MASTER"):
		return nil // a virtual table, in the shell's way of writing it
	case first == "CREATE" && words[1] == "VIRTUAL":
		return nil
	}
	l.ran++
	stmt, trailing, err := l.conn.PrepareTransient(string(text))
	if err != nil {
		return err
	}
	defer stmt.Finalize()
	if !onlySpace(string(text[len(text)-trailing:])) {
		return errors.New("it is more than one statement")
	}
	if stmt.BindParamCount() > 0 {
		return errors.New("it has parameters")
	}
	return each(stmt, nil)
}

// firstWords are the first three words of a statement in capitals, without
// quotes; "" where there are fewer.
func firstWords(text []byte) (words [3]string) {
	for n := 0; n < len(words) && len(text) > 0; {
		size, kind := token(text, true)
		if kind == tokenWord || kind == tokenOther && n > 0 {
			words[n] = strings.ToUpper(string(bytes.Trim(text[:min(size, 64)], "\"'`[]")))
			n++
		} else if kind == tokenOther {
			words[n] = "?"
			return words
		}
		text = text[size:]
	}
	return words
}

// whole fails where the dump stops before its own end.
func (l *filler) whole() error {
	switch {
	case l.inside:
		return l.cutShort("its COMMIT is missing")
	case l.ran == 0:
		return &key.Problem{Code: key.CodeBadInput, Message: l.name + " holds no table", Hint: dumpHint}
	}
	return nil
}

const dumpHint = "give a dump as sqlite3 FILE .dump, or wrangler d1 export, writes it; that of another server must be loaded there and scanned there"

func (l *filler) cutShort(how string) error {
	return &key.Problem{Code: key.CodeBadInput, Message: l.name + " is cut short: " + how, Hint: "write the dump anew"}
}

// readProblem explains why no more could be read.
func (l *filler) readProblem(line int, err error) error {
	if _, ok := errors.AsType[*key.Problem](err); ok {
		return err
	}
	return &key.Problem{Code: key.CodeBadInput, Message: fmt.Sprintf("reading %s failed at line %d", l.name, line), Hint: "check the disk and the file", Err: err}
}

// problem explains why a statement failed. The statement itself is not told,
// because it holds a row.
func (l *filler) problem(line int, err error) error {
	p := &key.Problem{Code: key.CodeBadInput, Message: fmt.Sprintf("line %d of %s is not what a dump of SQLite holds", line, l.name), Hint: dumpHint, Err: cause(err)}
	switch code := sqlite.ErrCode(err).ToPrimary(); {
	case errors.Is(err, errUndone):
		return l.cutShort("it ends in ROLLBACK, because errors met its writer")
	case code == sqlite.ResultAuth:
		p.Code, p.Message = key.CodeUnsupported, fmt.Sprintf("line %d of %s does more than make and fill tables, so it is not carried out", line, l.name)
	case code == sqlite.ResultFull || code == sqlite.ResultIOErr || code == sqlite.ResultCantOpen:
		p.Code, p.Message, p.Hint = key.CodeDisk, "no room for the database that "+l.name+" makes", "set TMPDIR to a folder with room"
	case code == sqlite.ResultConstraint:
		p.Message, p.Hint = fmt.Sprintf("line %d of %s breaks a rule of its own table", line, l.name), "the dump was changed or put together by hand; write it anew"
	case code == sqlite.ResultError && !strings.HasPrefix(p.Err.Error(), "SQL logic error: no such"):
		p.Err = nil // what stands near a mistake may be a row's value
	}
	return p
}
