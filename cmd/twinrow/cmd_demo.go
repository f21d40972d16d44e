package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"twinrow/detect/key"
)

func (p *program) cmdDemo() *cli.Command {
	return command(cli.Command{
		Name:        "demo",
		Usage:       "the whole story on a database of its own: from double tickets to the proof",
		UsageText:   "twinrow demo --dir DIR [--source SOURCE --yes]",
		Description: "Without --source everything happens in DIR. With it the demo makes the table " + demoTableGiven + "\nin that database and leaves it there, so that you can look at it and undo.\n\nEXAMPLE\n   twinrow demo --dir demo",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dir", Value: "demo", Usage: "`DIR` for all that it makes; it must not exist, or be empty"},
			&cli.StringFlag{Name: "source", Usage: "run on this `SOURCE`, a Postgres or SQLite database, instead of one of its own"},
			yesFlag(),
		},
		Action: func(c *cli.Context) error {
			if _, err := operands(c); err != nil {
				return err
			}
			s, err := p.newStory(c)
			if err != nil {
				return err
			}
			return errors.Join(s.tell(), s.close())
		},
	})
}

// newStory makes the directory, the database and the shop.
func (p *program) newStory(c *cli.Context) (*story, error) {
	dir := c.String("dir")
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, &key.Problem{Code: key.CodeExists, Message: dir + " exists and is not empty", Hint: "name another directory with --dir; nothing is overwritten"}
	}
	s := &story{p: p, c: c, ctx: c.Context, dir: dir, table: demoTable}
	if given := c.String("source"); given != "" {
		at, err := p.place(given)
		if err != nil {
			return nil, err
		}
		if at.engine == "file" {
			return nil, &key.Problem{Code: key.CodeUnsupported, Message: "the demo cannot run on a file", Hint: "give --source a Postgres or a SQLite database, or leave it out"}
		}
		s.at, s.table = at, demoTableGiven
		if err := p.confirm(c, "Make the table "+demoTableGiven+" in the database given?"); err != nil {
			return nil, err
		}
	} else {
		s.at = place{"sqlite", filepath.Join(dir, "shop.sqlite")}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &key.Problem{Code: key.CodeDisk, Message: "making the demo's directory", Hint: "name another one with --dir", Err: err}
	}
	if err := s.open(); err != nil {
		_ = os.Remove(dir) // it is empty still, or it is not ours to remove
		return nil, err
	}
	return s, nil
}

func (s *story) open() error {
	var err error
	if s.store, err = openTicketStore(s.ctx, s.at, s.table, s.p.now); err != nil {
		return &key.Problem{Code: key.CodeConnection, Message: "opening the demo's database", Hint: "check the address and the rights of --source", Err: err}
	}
	if err := s.store.create(s.ctx, s.at.engine); err != nil {
		return errors.Join(&key.Problem{Code: key.CodeExists, Message: "making the table " + s.table, Hint: "if an earlier demo left it there, remove it with DROP TABLE " + s.table, Err: err}, s.store.close())
	}
	if s.shop, err = openShop(s.store); err != nil {
		return errors.Join(err, s.store.close())
	}
	return nil
}

func (s *story) close() error { return errors.Join(s.shop.close(), s.store.close()) }

// notAsTold is the error of a demo whose step came out otherwise than it says.
func notAsTold(what string, args ...any) error {
	return &key.Problem{Code: key.CodeDrift, Message: "the demo did not come out as told: " + fmt.Sprintf(what, args...), Hint: "run it again on a machine that is less busy; if it stays so, this is a bug worth reporting"}
}
