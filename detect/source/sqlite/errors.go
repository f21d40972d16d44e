package sqlite

import (
	"context"
	"errors"
	"strings"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
)

// problem turns an error of the driver into one that a person can act on.
// Errors that are none of the driver's, as a visitor's, are given on as they are.
func (s *Source) problem(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if visited, ok := errors.AsType[*visitError](err); ok {
		return visited.err
	}
	if _, ok := errors.AsType[*key.Problem](err); ok {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p := &key.Problem{Code: key.CodeBadInput, Message: doing + " failed", Err: cause(err)}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB, sqlite.ResultFormat:
		p.Message, p.Hint = doing+" failed because the file is damaged", "look at it with: sqlite3 FILE 'PRAGMA integrity_check'"
	case sqlite.ResultBusy, sqlite.ResultLocked:
		p.Code, p.Hint = key.CodeBusy, "try again when the program that writes to the file has finished"
	case sqlite.ResultIOErr:
		p.Hint = "check the disk and that the file was not cut short while it was read"
	case sqlite.ResultNoMem, sqlite.ResultFull, sqlite.ResultTooBig:
		p.Hint = "the rows need more memory than there is"
	case sqlite.ResultError:
		if strings.Contains(err.Error(), "no such collation sequence") {
			p.Code, p.Hint = key.CodeUnsupported, "the application brings this collation itself; give the key as an expression, as in --key 'name COLLATE BINARY'"
		}
	}
	return p
}

// cause is the innermost error, without the statement's text and the driver's prefixes.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// visitError carries a visitor's own error past the translation of the driver's.
type visitError struct{ err error }

func (e *visitError) Error() string { return e.err.Error() }
func (e *visitError) Unwrap() error { return e.err }

// visited marks an error as the visitor's.
func visited(err error) error {
	if err == nil {
		return nil
	}
	return &visitError{err}
}
