package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// checkPath returns the absolute path of a file that may be a database. It
// never opens the file: closing a second handle would drop the locks that
// another connection of this process holds on it (POSIX locks do).
func checkPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", &key.Problem{Code: key.CodeNotFound, Message: "no file " + path, Err: err}
	}
	stat, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", source.MissingFile(abs)
	case err != nil:
		return "", &key.Problem{Code: key.CodePermission, Message: "cannot look at " + path, Hint: "check the rights on the file and its folder", Err: err}
	case !stat.Mode().IsRegular():
		return "", &key.Problem{Code: key.CodeBadInput, Message: path + " is not a file", Hint: "give the path of the database file itself"}
	case stat.Size() == 0 && !exists(abs+"-wal"):
		return "", &key.Problem{Code: key.CodeBadInput, Message: path + " is empty, no table was ever made in it", Hint: "check that this is the path that the application writes to"}
	}
	return abs, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// connect opens the file for reading only. The path is absolute and not a
// URI, so that no character in it has a second meaning.
func connect(abs string) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(abs, sqlite.OpenReadOnly)
	if err != nil {
		return nil, &key.Problem{Code: key.CodePermission, Message: "cannot open " + abs, Hint: "check the rights on the file", Err: cause(err)}
	}
	// trusted_schema: views and generated columns of a strange file may call
	// no function that does anything. temp_store: sorting leaves no file.
	for _, pragma := range []string{"PRAGMA query_only=on", "PRAGMA trusted_schema=off", "PRAGMA temp_store=memory"} {
		if err := run(conn, pragma, nil); err != nil {
			conn.Close()
			return nil, &key.Problem{Code: key.CodeBadInput, Message: "cannot prepare reading " + abs, Err: cause(err)}
		}
	}
	return conn, nil
}

// openProblem explains why the first read of a file failed.
func (s *Source) openProblem(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch code := sqlite.ErrCode(err); {
	case code.ToPrimary() == sqlite.ResultInterrupt || code.ToPrimary() == sqlite.ResultBusy:
		return &key.Problem{Code: key.CodeBusy, Message: s.path + " is locked by a program that writes to it", Hint: "try again when that program has finished its transaction", Err: cause(err)}
	case code.ToPrimary() == sqlite.ResultNotADB:
		return &key.Problem{Code: key.CodeBadInput, Message: s.path + " is not a SQLite database, or is encrypted", Hint: "give a SQLite or local D1 file; exports end in .csv or .tsv", Err: cause(err)}
	case code == sqlite.ResultReadOnlyRollback:
		return &key.Problem{Code: key.CodePermission, Message: s.path + " was left in the middle of a transaction and must be recovered first", Hint: "open it once for writing, as with: sqlite3 FILE .schema", Err: cause(err)}
	case code.ToPrimary() == sqlite.ResultCantOpen || code.ToPrimary() == sqlite.ResultReadOnly:
		return &key.Problem{
			Code:    key.CodePermission,
			Message: s.path + " is in WAL mode, and its -wal and -shm files cannot be read or made here",
			Hint:    "run as a user who may write to the folder, or copy the file together with its -wal file to another folder and scan the copy", Err: cause(err),
		}
	}
	return s.problem(ctx, "reading "+s.path, err)
}
