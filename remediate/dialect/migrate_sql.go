package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// change is what a migration does: the index alone, with its check for
// duplicates, and its way back.
type change struct {
	steps []step
	// alone is true where the index is built concurrently, which no transaction
	// may hold.
	alone bool
}

// step is one statement up and its way back down, "" for none. name tells the
// files of a tool that takes one statement a file apart.
type step struct {
	name, up, down string
	alone          bool
}

// changeFor writes the change for one table.
func changeFor(w *plan.Work, t tool) change {
	switch {
	case w.Engine != "postgres":
		return change{steps: []step{sqliteMigration(w)}}
	case concurrent(w):
		return postgresConcurrently(w, t)
	}
	return change{steps: []step{postgresPlainly(w)}}
}

// concurrent tells whether the index is built beside the writers: where the
// table is large. A partitioned table takes no such index.
func concurrent(w *plan.Work) bool {
	return w.Strategy == plan.Online && (w.Case.Facts == nil || len(w.Case.Facts.PartitionKey) == 0)
}

func headline(w *plan.Work) string {
	return "-- twinrow: " + oneLine("no two rows of "+w.Table.Table+" may have the same "+strings.Join(w.Key, ", ")) + "\n"
}

// sqliteMigration checks for duplicates and builds the index where it is not
// there yet; one that is there must be on the key: an apply built it before.
func sqliteMigration(w *plan.Work) step {
	var up, down script
	up.b.WriteString(headline(w))
	sq := NewSQLite(w, 1, scriptPlaces(w))
	sq.d1 = true // ordinary tables and no words of transactions: right for every client
	sq.require(&up, "there are still duplicates; clean them first", "NOT EXISTS ("+sameUnder(w.Index(), queries.Ident(w.Table.Table))+")")
	sq.require(&up, w.Index().Name+" exists with another definition", sq.indexIsOurs(true))
	up.add("CREATE UNIQUE INDEX IF NOT EXISTS " + sq.indexRest(""))
	down.add("DROP INDEX IF EXISTS " + queries.Ident(w.Index().Name))
	return step{up: up.String(), down: down.String()}
}

// postgresPlainly builds the index inside the tool's own transaction.
func postgresPlainly(w *plan.Work) step {
	p := NewPostgres(w, 1)
	var up, down script
	up.b.WriteString(headline(w))
	up.b.WriteString("-- it is built plainly, in the tool's transaction, because the table is small: writers wait for it\n")
	up.do(slices.Concat([]string{
		"DECLARE found pg_catalog.oid := pg_catalog.to_regclass(" + queries.Literal(p.IndexName()) + "); keys bigint;", "BEGIN",
		"  PERFORM pg_catalog.set_config('lock_timeout', '10s', true);",
	}, p.checkReplaced(), []string{"  IF found IS NULL THEN"}, p.raiseDuplicates(), execute("    ", p.CreateIndex()), []string{"  ELSE"}, p.raiseUnsound(), []string{"  END IF;"}, p.constrain(), p.migrateReplaced(), []string{"END"})...)
	down.b.WriteString("-- a block, so that the time-out for the lock is its own under every tool\n")
	down.do(slices.Concat([]string{"BEGIN", "  PERFORM pg_catalog.set_config('lock_timeout', '10s', true);"}, p.remadeReplaced(), []string{"  " + p.dropMigrated() + ";", "END"})...)
	return step{up: up.String(), down: down.String()}
}

// raiseDuplicates stops where keys have several rows.
func (p Postgres) raiseDuplicates() []string {
	return []string{
		fmt.Sprintf("    SELECT count(*) INTO keys FROM (%s) AS d;", sameUnder(p.Index(), p.Target())),
		"    IF keys > 0 THEN", "      RAISE EXCEPTION 'keys that still have several rows: %; clean them first', keys;", "    END IF;",
	}
}

// raiseUnsound stops unless the index found is valid and on the key.
func (p Postgres) raiseUnsound() []string {
	return raiseUnless("EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indexrelid = found AND i.indrelid = "+queries.Literal(p.Target())+"::pg_catalog.regclass AND i.indisunique AND i.indisvalid AND "+sameParts(p.Work)+")",
		p.Index().Name+" exists and is not a valid unique index on the key; if a build of it failed, run: DROP INDEX CONCURRENTLY "+p.IndexName())
}

// noTimeout names the finding of a linter that is meant.
const noTimeout = "-- it waits for open transactions and nobody waits for it; a time-out would leave the index INVALID\n" +
	"-- squawk-ignore require-lock-timeout, require-statement-timeout\n"

// postgresConcurrently builds the index while others write: a check that says
// what is in the way and leaves nothing behind, the build, and a check that
// the index is valid, for IF NOT EXISTS is content with one that is not.
func postgresConcurrently(w *plan.Work, t tool) change {
	p := NewPostgres(w, 1)
	var check, build, drop, valid script
	check.b.WriteString(headline(w))
	check.do(slices.Concat([]string{
		"DECLARE found pg_catalog.oid := pg_catalog.to_regclass(" + queries.Literal(p.IndexName()) + "); keys bigint;", "BEGIN",
	}, p.checkReplaced(), []string{"  IF found IS NULL THEN"}, p.raiseDuplicates(), []string{"    RETURN;", "  END IF;"}, p.raiseUnsound(), []string{"END"})...)
	build.b.WriteString("-- writers go on while it is built; it must not run inside a transaction" + t.note + "\n" + noTimeout)
	build.add(strings.Replace(p.CreateIndex(), "CREATE UNIQUE INDEX ", "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ", 1))
	drop.b.WriteString(noTimeout)
	drop.add("DROP INDEX CONCURRENTLY IF EXISTS " + p.IndexName())
	valid.do(append([]string{
		"DECLARE found pg_catalog.oid := pg_catalog.to_regclass(" + queries.Literal(p.IndexName()) + ");", "BEGIN",
	}, append(p.raiseUnsound(), "END")...)...)
	steps := []step{
		{name: "_check", up: check.String()},
		{up: build.String(), down: drop.String(), alone: true},
		{name: "_valid", up: valid.String()},
	}
	if p.Index().Constraint {
		steps = append(steps, p.constraintStep())
	}
	if p.Index().Replaces != nil {
		steps = append(steps, p.replacedStep())
	}
	return change{alone: true, steps: steps}
}

// constraintStep makes the index that stands a constraint.
func (p Postgres) constraintStep() step {
	var up, down script
	const wait = "  PERFORM pg_catalog.set_config('lock_timeout', '10s', true);"
	up.do(slices.Concat([]string{"BEGIN", wait}, p.constrain(), []string{"END"})...)
	down.do("BEGIN", wait, "  "+p.dropMigrated()+";", "END")
	return step{name: "_constraint", up: up.String(), down: down.String()}
}

// constrain makes the index a constraint, where that is wanted and it is none yet.
func (p Postgres) constrain() []string {
	if !p.Index().Constraint {
		return nil
	}
	return slices.Concat([]string{"  IF NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indexrelid = pg_catalog.to_regclass(" + queries.Literal(p.IndexName()) + ") AND " + p.asConstraint() + ") THEN"},
		execute("    ", p.addConstraint()), []string{"  END IF;"})
}

// dropMigrated takes away what a migration built.
func (p Postgres) dropMigrated() string {
	if p.Index().Constraint {
		return "ALTER TABLE IF EXISTS " + p.Target() + " DROP CONSTRAINT IF EXISTS " + queries.Ident(p.Index().Name)
	}
	return "DROP INDEX IF EXISTS " + p.IndexName()
}

// sameParts holds where the index i has just the columns of the key, in their
// order, and a predicate where the key has one. Expressions are only counted:
// the server prints them in its own words.
func sameParts(w *plan.Work) string {
	var columns []string
	for _, part := range w.Index().Parts {
		name := queries.Literal(part.Text)
		if part.Expression {
			name = "NULL"
		}
		columns = append(columns, name)
	}
	predicate := "i.indpred IS NULL"
	if w.Index().Where != "" {
		predicate = "i.indpred IS NOT NULL"
	}
	return predicate + " AND ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)" +
		" LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0" +
		" WHERE k.place <= i.indnkeyatts ORDER BY k.place) IS NOT DISTINCT FROM ARRAY[" + strings.Join(columns, ", ") + "]::pg_catalog.text[]"
}
