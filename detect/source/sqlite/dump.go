package sqlite

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path/filepath"

	"zombiezen.com/go/sqlite"

	"twinrow/detect/key"
	"twinrow/detect/source"
)

// DumpOptions are what a caller of OpenDump may choose.
type DumpOptions struct {
	// MaxBytes bounds the database that the dump makes on the disk; 0 is no bound.
	MaxBytes int64
}

// Dump is a Source over the SQL that `sqlite3 .dump` or `wrangler d1 export` wrote.
type Dump struct{ *Source }

var (
	_ source.Finder  = (*Dump)(nil)
	_ source.Querier = (*Dump)(nil)
)

// OpenDump carries out a dump's statements in a private temporary database and
// reads that. SQLite makes it with the rights 0600 and takes its name away at
// once, so nothing of it stays, whatever happens; it costs about the size of
// the dump on the disk of TMPDIR. The statements may make tables and fill
// them; an authorizer refuses all that reaches beyond, as ATTACH. Settings
// (PRAGMA) and virtual tables, which hold no rows of their own, are left out.
//
// path is where the dump is, for messages. Every error that a person can act
// on is a *key.Problem; those of from are given on as they are.
func OpenDump(ctx context.Context, from io.Reader, path string, opts DumpOptions) (*Dump, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, &key.Problem{Code: key.CodeNotFound, Message: "no file " + path, Err: err}
	}
	conn, err := sqlite.OpenConn("", sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return nil, &key.Problem{Code: key.CodeDisk, Message: "cannot make a temporary database for " + path, Hint: "set TMPDIR to a folder with room", Err: cause(err)}
	}
	d := &Dump{&Source{conn: conn, path: abs, busy: defaultBusyTimeout, seed: maphash.MakeSeed(), plans: map[*source.Table]*plan{}}}
	if err := d.load(ctx, from, opts); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return d, nil
}

// load fills the database and takes the snapshot.
func (d *Dump) load(ctx context.Context, from io.Reader, opts DumpOptions) error {
	l := &filler{conn: d.conn, name: filepath.Base(d.path)}
	if err := l.prepare(opts); err != nil {
		return fmt.Errorf("preparing the temporary database: %w", cause(err))
	}
	d.conn.SetInterrupt(ctx.Done())
	err := l.run(ctx, from)
	d.conn.SetInterrupt(nil)
	if err != nil {
		return err
	}
	if err := l.finish(); err != nil {
		return fmt.Errorf("closing the temporary database for writing: %w", cause(err))
	}
	if err := d.begin(ctx); err != nil {
		return err
	}
	if l.wrangler {
		d.info.Engine = "d1"
	}
	d.info.Unknown = append(d.info.Unknown, "a dump shows what was there when it was written")
	return nil
}

// Query runs one SELECT of a person's own over the dump, which does not change
// any more. Arguments are bound as Source.Query binds them.
func (d *Dump) Query(ctx context.Context, sql string, args []string) ([][]source.Value, error) {
	done, err := d.interruptible(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return d.answer(ctx, sql, args)
}
