// Package postgres is the Source over a Postgres server. It owns the sessions
// (read only, one snapshot for all of them), the catalogue, the fingerprints
// made by the server's own hash functions, and what Postgres's errors mean for
// a person.
//
// It must not know what a duplicate means, and it never writes: every
// statement runs in a transaction that the server holds to be read only.
package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"twinrow/detect/source"
)

// Options are the choices that a scan leaves to its user.
type Options struct {
	// Jobs is the number of connections that read a table together; below 1
	// it is 2. Where the server gives no second one, one is used.
	Jobs int
	// StatementTimeout bounds every statement; 0 means no bound. A large table
	// is read in many short statements where it is read in packed ranges, in
	// one long one otherwise.
	StatementTimeout time.Duration
	// Fast allows packed ranges where they may push the application's pages
	// out of the server's memory.
	Fast bool
	// Pace holds the reading back; nil does not.
	Pace *source.Pace
}

// Source is one snapshot of one Postgres database, from Open to Close.
type Source struct {
	config   *pgx.ConnConfig
	options  Options
	pace     *source.Pace
	server   server
	info     source.Info
	main     *session   // holds the snapshot
	snapshot string     // its name for other sessions, or ""
	helpers  []*session // share it
	alone    bool       // true where no helper, or no more, can be had
	asker    *session   // for Query, outside the snapshot
	tables   map[string]*relation
	renewals int // how often a standby made us take a new snapshot
	restarts int // how often in a row it made a reading begin again
	// placed is true once rows of the table in hand were read by their places;
	// moved is true where a new snapshot was taken after that.
	placed, moved bool
}

var (
	_ source.Finder  = (*Source)(nil)
	_ source.Placer  = (*Source)(nil)
	_ source.Querier = (*Source)(nil)
)

// Open connects to the server that dsn names, a URL or a keyword string as
// psql takes it, and takes a snapshot. The errors are *key.Problem and hold no
// password.
func Open(ctx context.Context, dsn string, options Options) (*Source, error) {
	if options.Jobs < 1 {
		options.Jobs = 2
	}
	config, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	s := &Source{config: config, options: options, pace: options.Pace, tables: map[string]*relation{}}
	if err := s.open(ctx); err != nil {
		_ = s.Close()
		return nil, explain(ctx, "opening the database", err)
	}
	s.info = s.server.info(location(dsn, config))
	return s, nil
}

func (s *Source) open(ctx context.Context) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	var err error
	s.server, err = readServer(ctx, s.main)
	return err
}

// take connects and takes a snapshot.
func (s *Source) take(ctx context.Context) (err error) {
	if s.main, err = connect(ctx, s.config); err != nil {
		return err
	}
	if err = s.main.begin(ctx, "", s.options.StatementTimeout); err != nil {
		return err
	}
	return s.export(ctx)
}

// export lets other sessions share the snapshot. It must come before any
// savepoint, so where the server refuses it, the transaction starts anew.
func (s *Source) export(ctx context.Context) (err error) {
	if s.options.Jobs == 1 {
		s.alone = true
		return nil
	}
	if s.snapshot, err = s.main.one(ctx, "server_snapshot"); err == nil {
		return nil
	}
	s.alone = true
	if err := s.main.do(ctx, "ROLLBACK"); err != nil {
		return err
	}
	return s.main.begin(ctx, "", s.options.StatementTimeout)
}

// Info says what the server is.
func (s *Source) Info() source.Info { return s.info }

// Close ends the snapshot and all sessions. It may be called twice.
func (s *Source) Close() error {
	for _, session := range append(s.helpers, s.main, s.asker) {
		if session != nil {
			session.close()
		}
	}
	s.main, s.helpers, s.asker = nil, nil, nil
	return nil
}

// sessions returns the connections that read a table together, opening them on
// first use. That the server gives no more than one is no error.
func (s *Source) sessions(ctx context.Context) ([]*session, error) {
	for !s.alone && len(s.helpers)+1 < s.options.Jobs {
		helper, err := s.helper(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			s.alone = true
			break
		}
		s.helpers = append(s.helpers, helper)
	}
	return append([]*session{s.main}, s.helpers...), nil
}

// helper opens a session that shares the snapshot.
func (s *Source) helper(ctx context.Context) (*session, error) {
	// A pooler may have no second connection to the server and let us wait for
	// the one that we hold ourselves.
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	helper, err := connect(ctx, s.config)
	if err != nil {
		return nil, err
	}
	if err := helper.begin(ctx, s.snapshot, s.options.StatementTimeout); err != nil {
		helper.close()
		return nil, err
	}
	return helper, nil
}
