package postgres

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"twinrow/detect/source"
)

var (
	_ source.Witness   = (*Source)(nil)
	_ source.Referrer  = (*Source)(nil)
	_ source.Comparer  = (*Source)(nil)
	_ source.Timeliner = (*Source)(nil)
	_ source.KeyReader = (*Source)(nil)
)

// writersAtOnce is how many rows' transactions are asked for by one statement.
const writersAtOnce = 5000

// Transactions says what writes the time column and what statistics counted.
func (s *Source) Transactions(ctx context.Context, t *source.Table) (source.Transactions, error) {
	out := source.Transactions{KeepsTimes: s.server.keepsTimes, Inserted: -1, Updated: -1, Deleted: -1}
	r, err := s.relation(t)
	if err != nil {
		return out, err
	}
	var rows [][]string
	err = s.outlive(ctx, func() (err error) {
		rows, err = s.main.rows(ctx, "evidence_transactions", r.oid, t.Time)
		return err
	})
	if err != nil || len(rows) != 1 {
		return out, explain(ctx, "reading the catalogue about "+t.Name, err)
	}
	row := rows[0]
	if t.Time != "" {
		out.Default = row[0]
		out.Writes = writes(row[0])
	}
	for i, into := range []*int64{&out.Inserted, &out.Updated, &out.Deleted} {
		if n, err := strconv.ParseInt(row[i+2], 10, 64); err == nil {
			*into = n
		}
	}
	out.Lagging = row[5] == "t"
	return out, nil
}

var (
	startDefault     = regexp.MustCompile(`^(now\(\)|current_timestamp|transaction_timestamp\(\)|localtimestamp)(\(\d\))?$`)
	statementDefault = regexp.MustCompile(`^(clock_timestamp\(\)|statement_timestamp\(\))$`)
	// What is written around them without changing whose time it is.
	castSuffix = regexp.MustCompile(`::(timestamp|time stamp)(\(\d\))?( with(out)? time zone)?$`)
	zoneSuffix = regexp.MustCompile(` at time zone '[^']*'(::text)?$`)
	zoneCall   = regexp.MustCompile(`^timezone\('[^']*'(::text)?, (.*)\)$`)
	truncCall  = regexp.MustCompile(`^date_trunc\('[^']*'(::text)?, (.*)\)$`)
)

// writes tells from a default, as the catalogue prints it, whose time it is.
func writes(expression string) string {
	plain := strings.ToLower(trimParentheses(expression))
	for last := ""; plain != last; {
		last = plain
		plain = trimParentheses(castSuffix.ReplaceAllString(plain, ""))
		plain = trimParentheses(zoneSuffix.ReplaceAllString(plain, ""))
		plain = trimParentheses(zoneCall.ReplaceAllString(plain, "$2"))
		plain = trimParentheses(truncCall.ReplaceAllString(plain, "$2"))
	}
	switch {
	case startDefault.MatchString(plain):
		return source.WritesStart
	case statementDefault.MatchString(plain):
		return source.WritesStatement
	}
	return source.WritesApplication
}

// Writers reads the rows' transactions, and with the superuser's eyes whether
// a row came of an UPDATE.
func (s *Source) Writers(ctx context.Context, t *source.Table, locators []uint64, visit func(source.Writer) error) error {
	r, err := s.relation(t)
	if err != nil {
		return err
	}
	if r.kind() != "" {
		return nil // what another server or a refresh wrote tells nothing here
	}
	for len(locators) > 0 {
		n := min(writersAtOnce, len(locators))
		var writers []source.Writer
		err := s.steady(ctx, func() (err error) {
			writers, err = s.writers(ctx, r, locators[:n])
			return err
		})
		if err != nil {
			return explain(ctx, "reading the transactions of "+t.Name, err)
		}
		for _, w := range writers {
			if err := visit(w); err != nil {
				return err
			}
		}
		locators = locators[n:]
	}
	return nil
}

func (s *Source) writers(ctx context.Context, r *relation, locators []uint64) ([]source.Writer, error) {
	if _, err := s.main.rows(ctx, "scan_settings", "on", "off"); err != nil {
		return nil, err
	}
	committed := "NULL"
	if s.server.keepsTimes {
		committed = "pg_catalog.pg_xact_commit_timestamp(" + r.alias + ".xmin)"
	}
	wanted := make(map[uint64]bool, len(locators))
	for _, l := range locators {
		wanted[l] = true
	}
	var writers []source.Writer
	sql := r.fill("evidence_writers", "table", r.name, "committed", committed)
	err := s.main.stream(ctx, 0, sql, []string{r.places(locators)}, func(fields [][]byte) error {
		l, ok := r.locatorOf(string(fields[0]), string(fields[1]))
		if !ok || !wanted[l] {
			return nil
		}
		w := source.Writer{Locator: l, XID: string(fields[2])}
		if at, err := source.ParseInstant(string(fields[3])); err == nil {
			w.Committed = at.Time
		}
		writers = append(writers, w)
		return nil
	})
	if err == nil {
		err = s.flags(ctx, r, writers)
	}
	return writers, err
}

// flags asks pageinspect, where the role may, which rows came of an UPDATE. That
// it may not is no error: the flag is then not known.
func (s *Source) flags(ctx context.Context, r *relation, writers []source.Writer) error {
	schema, err := s.main.rows(ctx, "evidence_pageinspect")
	if err != nil || len(schema) == 0 {
		return err
	}
	blockType := "bigint"
	if s.server.number < 140000 {
		blockType = "integer" // as pageinspect takes it before 14
	}
	updated := map[string]bool{}
	for _, h := range r.heaps {
		blocks := blocksOf(r, h, writers)
		if len(blocks) == 0 {
			continue
		}
		args := []string{"{" + strings.Join(blocks, ",") + "}", h.name}
		_ = s.main.attempt(ctx, func() error {
			return s.main.stream(ctx, 0, statement("evidence_flags", "schema", schema[0][0], "number", blockType), args, func(f [][]byte) error {
				l, ok := r.locatorOf(strconv.FormatUint(uint64(h.oid), 10), "("+string(f[0])+","+string(f[1])+")")
				if ok {
					updated[strconv.FormatUint(l, 10)+" "+string(f[2])] = string(f[3]) == "t"
				}
				return nil
			})
		})
	}
	for i, w := range writers {
		if flag, ok := updated[strconv.FormatUint(w.Locator, 10)+" "+w.XID]; ok {
			writers[i].Updated = &flag
		}
	}
	return ctx.Err()
}

// blocksOf lists the blocks of a heap that the rows are in, each once.
func blocksOf(r *relation, h heap, writers []source.Writer) []string {
	seen := map[uint64]bool{}
	var blocks []string
	for _, w := range writers {
		block := w.Locator>>16 - uint64(h.base)
		if r.heapOf(w.Locator).oid == h.oid && !seen[block] {
			seen[block] = true
			blocks = append(blocks, strconv.FormatUint(block, 10))
		}
	}
	return blocks
}

// Keys streams the keys of all rows.
func (s *Source) Keys(ctx context.Context, t *source.Table, visit func([]source.Value) error) error {
	r, err := s.relation(t)
	if err != nil {
		return err
	}
	var refused error
	err = s.once(ctx, func() error {
		return s.main.stream(ctx, 0, r.fill("evidence_keys", "table", r.name), nil, func(f [][]byte) error {
			refused = visit(values(f))
			return refused
		})
	})
	if refused != nil {
		return refused
	}
	return explain(ctx, "reading the keys of "+t.Name, err)
}
