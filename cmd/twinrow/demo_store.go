package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	_ "embed"

	"twinrow/remediate/apply"
)

// seed are the tickets that the demo's shop starts with, four of them double.
//
//go:embed demo/tickets.csv
var seed string

// demoTable is the table's name in the demo's own database; in one that was
// given it is longer, so that it is nobody else's.
const (
	demoTable      = "tickets"
	demoTableGiven = "twinrow_demo_tickets"
)

// ticketStore is the shop's database: a few connections, so that requests
// really run beside each other.
type ticketStore struct {
	conns chan *apply.Conn
	table string
	now   func() time.Time
}

// storeConnections is how many requests the shop works on at once.
const storeConnections = 8

func openTicketStore(ctx context.Context, at place, table string, now func() time.Time) (*ticketStore, error) {
	s := &ticketStore{conns: make(chan *apply.Conn, storeConnections), table: table, now: now}
	for range storeConnections {
		conn, err := apply.Connect(ctx, at.engine, at.at)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.conns <- conn
	}
	return s, nil
}

func (s *ticketStore) close() error {
	var errs []error
	for len(s.conns) > 0 {
		errs = append(errs, (<-s.conns).Close())
	}
	return errors.Join(errs...)
}

// text runs one statement on a free connection.
func (s *ticketStore) text(ctx context.Context, sql string, args ...any) (string, bool, error) {
	conn := <-s.conns
	defer func() { s.conns <- conn }()
	return conn.Text(ctx, strings.ReplaceAll(sql, "tickets", s.table), args...)
}

// create makes the table and fills it.
func (s *ticketStore) create(ctx context.Context, engine string) error {
	clock := "TEXT"
	if engine == "postgres" {
		clock = "timestamptz"
	}
	_, _, err := s.text(ctx, `CREATE TABLE tickets (id integer PRIMARY KEY, payment_intent_id text NOT NULL, ticket_number integer NOT NULL,
		customer_name text, customer_email text, event_name text, amount_cents integer, status text, created_at `+clock+`)`)
	if err != nil {
		return fmt.Errorf("creating the demo's table: %w", err)
	}
	lines, err := csv.NewReader(strings.NewReader(seed)).ReadAll()
	if err != nil {
		return fmt.Errorf("reading the demo's tickets: %w", err)
	}
	for _, line := range lines[1:] {
		id, _ := strconv.Atoi(line[0])
		number, _ := strconv.Atoi(line[2])
		cents, _ := strconv.Atoi(line[6])
		if err := s.add(ctx, id, line[1], number, line[3], line[4], line[5], cents, line[7], line[8]); err != nil {
			return fmt.Errorf("filling the demo's table: %w", err)
		}
	}
	return nil
}

func (s *ticketStore) add(ctx context.Context, values ...any) error {
	_, _, err := s.text(ctx, `INSERT INTO tickets (id, payment_intent_id, ticket_number, customer_name, customer_email, event_name, amount_cents, status, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, values...)
	return err
}

// find returns the id of the payment's ticket, 0 where there is none.
func (s *ticketStore) find(ctx context.Context, paid payment) (int64, error) {
	text, ok, err := s.text(ctx, `SELECT id FROM tickets WHERE payment_intent_id = $1 AND ticket_number = $2 ORDER BY id LIMIT 1`, paid.Intent, paid.Ticket)
	if err != nil || !ok {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// insert stores a ticket under the next id and returns it. It never looks
// whether the payment has one: that is its callers' affair.
func (s *ticketStore) insert(ctx context.Context, id int64, paid payment) error {
	return s.add(ctx, id, paid.Intent, paid.Ticket, paid.Name, paid.Email, "Winter Gala", 4500, "valid", s.now().UTC().Format("2006-01-02T15:04:05.000Z"))
}

func isTaken(err error) bool { return apply.Taken(err) }
