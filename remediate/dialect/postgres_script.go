package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// valuesAStatement is how many rows one INSERT of a file lists.
const valuesAStatement = 500

// advisoryKey is the lock that every run over one case takes for its transaction.
func advisoryKey(caseID string) string {
	return "pg_catalog.hashtextextended(" + queries.Literal("twinrow/"+caseID) + ", 0)"
}

// PostgresLockCase takes the case's advisory lock without waiting.
func PostgresLockCase(caseID string) string {
	return "SELECT pg_catalog.pg_try_advisory_xact_lock(" + advisoryKey(caseID) + ")"
}

// postgresClean writes the clean-up and the index as one transaction.
func postgresClean(works []*plan.Work) string {
	var s script
	s.add("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
	s.addAll(PostgresSettings)
	s.add(strings.Replace(fewNotices, "SET ", "SET LOCAL ", 1))
	s.add("SET LOCAL lock_timeout = '10s'")
	s.add("SET LOCAL statement_timeout = '1h'")
	s.do("BEGIN", "  PERFORM pg_catalog.pg_advisory_xact_lock("+advisoryKey(works[0].CaseID)+");", "END")
	var made []string
	for i, w := range works {
		p := NewPostgres(w, i+1)
		p.made = made
		p.clean(&s, i+1)
		if w.ChangesRows() {
			made = append(made, p.Changes())
		}
	}
	s.add("COMMIT")
	return s.String()
}

// fewNotices keeps what is no news, as that a table is there already, out of
// what a file prints.
const fewNotices = "SET client_min_messages = 'warning'"

func (p Postgres) clean(s *script, n int) {
	s.comment(fmt.Sprintf("%s: writers wait from here on", p.Table.Table))
	s.add("LOCK TABLE " + p.Target() + " IN SHARE ROW EXCLUSIVE MODE")
	s.do(append([]string{"BEGIN"}, append(raiseUnless(effectsCount, effectsCountMessage), "END")...)...)
	if len(p.Groups) > 0 {
		p.cleanRows(s, n)
	}
	if p.Index() != nil {
		s.comment("the unique index, unless this case built it before")
		s.do(p.indexBlock()...)
	}
}

// Without these, foreign keys are not kept and effects cannot be counted.
const (
	effectsCount        = "pg_catalog.current_setting('session_replication_role') = 'origin' AND pg_catalog.current_setting('track_counts') = 'on'"
	effectsCountMessage = "twinrow: session_replication_role must be origin and track_counts on, else foreign keys are not kept and effects cannot be counted"
)

func (p Postgres) cleanRows(s *script, n int) {
	s.comment("the rows to remove and the rows that stay, as the evidence has them")
	s.add(p.CreateWork())
	if p.listed != "" {
		s.add(p.fillListed())
	} else {
		p.fill(s)
	}
	s.add(p.AnalyzeWork())
	s.add(p.CreateQuarantine())
	s.comment("what is in quarantine already was done by a run before")
	s.addAll(p.ForgetDone())
	if p.ChangesRows() {
		s.add(p.CreateChanges())
		p.made = append(slices.Clone(p.made), p.Changes())
	}
	for _, r := range p.Recalls() {
		if slices.Contains(p.made, r.Changes) { // else it is not there, and nothing was changed
			s.addAll(r.SQL)
		}
	}
	if move := p.Relocate(); move != "" {
		s.comment("rows without a primary key are found again by content where they moved")
		s.do("BEGIN", "  IF ("+p.Missing()+") > 0 THEN", move+";", "  END IF;", "END")
	}
	if p.online {
		s.do("BEGIN", "  PERFORM "+strings.TrimPrefix(p.lockRows(), "SELECT ")+";", "END")
	}
	p.requireSame(s)
	if len(p.Set) == 0 {
		p.checkReferred(s, n)
	}
	p.changeRows(s, n)
}

// changeRows writes the changes and the check of their effects.
func (p Postgres) changeRows(s *script, n int) {
	before := fmt.Sprintf("twinrow_before_%d", n)
	foretold := fmt.Sprintf("pg_temp.twinrow_foretold_%d", n)
	s.add("CREATE TEMPORARY TABLE " + temporary(foretold) + " ON COMMIT DROP AS\n" +
		"  SELECT " + queries.Literal(p.Quarantine()) + "::text AS name, count(*) AS ins, 0::bigint AS upd, 0::bigint AS del FROM " + p.work + " AS w WHERE NOT w.keep")
	s.add("CREATE TEMPORARY TABLE " + before + " ON COMMIT DROP AS\n" +
		"  SELECT relid, n_tup_ins, n_tup_upd, n_tup_del FROM pg_catalog.pg_stat_xact_user_tables")
	s.add(p.Copy())
	if len(p.Set) > 0 {
		p.step(s, p.SetSurplus(), foretold)
	} else {
		for _, step := range p.Steps() {
			p.step(s, step, foretold)
		}
		s.add("INSERT INTO " + foretold + " SELECT " + queries.Literal(p.Target()) + ", 0, 0, count(*) FROM " + p.work + " AS w WHERE NOT w.keep")
		s.add(p.Delete())
		for _, step := range p.Survivors() {
			p.step(s, step, foretold)
		}
	}
	s.add("SET CONSTRAINTS ALL IMMEDIATE")
	s.comment("exactly the rows foretold changed, cascades and triggers included")
	s.do(p.effectsBlock(before, foretold)...)
}

// requireSame stops where a row is not as the evidence has it.
func (p Postgres) requireSame(s *script) {
	s.comment("every row must be as the evidence has it")
	s.do("DECLARE bad record;", "BEGIN",
		"  SELECT * INTO bad FROM ("+p.States()+") AS s WHERE s.state <> 'same' LIMIT 1;",
		"  IF FOUND THEN",
		"    RAISE EXCEPTION 'twinrow: row % of group % is % since the scan; nothing was changed', bad.row_id, bad.group_no, bad.state;",
		"  END IF;", "END")
}

// fill lists the rows; the ids are strings that take the types of the table's own columns.
func (p Postgres) fill(s *script) {
	var rows []string
	flush := func() {
		if len(rows) > 0 {
			s.add("INSERT INTO " + p.work + " VALUES\n  " + strings.Join(rows, ",\n  "))
			rows = nil
		}
	}
	for _, g := range p.Groups {
		for i, r := range append([]plan.RowRef{g.Keep}, g.Remove...) {
			var ids strings.Builder
			for _, f := range r.ID {
				ids.WriteString(", " + literalOrNull(f.Value))
			}
			rows = append(rows, fmt.Sprintf("(%d, %d, %t, %s, %s, %s%s)", g.Number, i, i == 0,
				queries.Literal(IDJSON(r.ID)), queries.Literal(IDJSON(g.Keep.ID)), queries.Literal(r.Image), ids.String()))
			if len(rows) == valuesAStatement {
				flush()
			}
		}
	}
	flush()
}

func literalOrNull(value *string) string {
	if value == nil {
		return "NULL"
	}
	return queries.Literal(*value)
}

// raiseUnless stops the transaction where a condition does not hold. The
// message may hold a name, whose % must not be read as a place for a value.
func raiseUnless(condition, message string) []string {
	format := strings.ReplaceAll(message, "%", "%%")
	return []string{"  IF NOT (" + condition + ") THEN", "    RAISE EXCEPTION " + queries.Literal(format) + ";", "  END IF;"}
}

// indexBlock builds the index, or sees that this case built it before.
func (p Postgres) indexBlock() []string {
	return slices.Concat([]string{
		"DECLARE found pg_catalog.oid := pg_catalog.to_regclass(" + queries.Literal(p.IndexName()) + ");", "BEGIN",
		"  IF found IS NULL THEN",
	}, execute("    ", append([]string{p.CreateIndex()}, p.BuiltStatements()...)...), []string{
		"    RETURN;", "  END IF;",
	}, raiseUnless("EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indexrelid = found AND i.indrelid = "+queries.Literal(p.Target())+"::pg_catalog.regclass AND i.indisunique AND i.indisvalid AND "+p.asConstraint()+") AND pg_catalog.obj_description(found, 'pg_class') = "+queries.Literal(Marker(p.CaseID)),
		"twinrow: "+p.Index().Name+" exists, and this case did not build it; nothing was changed"), []string{"END"})
}

// postgresUndo writes the way back, as one transaction.
func postgresUndo(works []*plan.Work) string {
	var s script
	s.add("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
	s.addAll(PostgresSettings)
	s.add(strings.Replace(fewNotices, "SET ", "SET LOCAL ", 1))
	s.add("SET LOCAL lock_timeout = '10s'")
	s.add("SET LOCAL statement_timeout = '1h'")
	s.do("BEGIN", "  PERFORM pg_catalog.pg_advisory_xact_lock("+advisoryKey(works[0].CaseID)+");", "END")
	for i, work := range slices.Backward(works) {
		NewPostgres(work, i+1).undo(&s)
	}
	s.add("COMMIT")
	return s.String()
}

func (p Postgres) undo(s *script) {
	s.comment(fmt.Sprintf("%s: everybody waits from here on", p.Table.Table))
	s.add("LOCK TABLE " + p.Target() + " IN ACCESS EXCLUSIVE MODE")
	if len(p.Groups) > 0 {
		s.add(p.CreateQuarantine())
		p.requireKept(s)
	}
	if p.Index() != nil {
		p.dropOurIndex(s)
	}
	survivors, others := p.Backs()
	if p.ChangesRows() {
		s.add(p.CreateChanges())
		p.backs(s, survivors)
	}
	if p.Operation(plan.OpQuarantine) == nil {
		return
	}
	if p.Operation(plan.OpDelete) != nil {
		p.restoreRows(s)
	}
	if p.ChangesRows() {
		p.backs(s, others)
		p.release(s, p.Changes(), p.ReleaseChanges())
	}
	p.release(s, p.Quarantine(), p.Release())
}

// release forgets what a table keeps of this case, and drops it when it is empty.
func (p Postgres) release(s *script, table, forget string) {
	s.add(forget)
	s.do(dropEmpty(table)...)
}

func (p Postgres) dropOurIndex(s *script) {
	s.comment("the index goes only if this case built it")
	statements := []string{p.DropIndex()}
	if p.Index().Replaces != nil && !p.online {
		statements = append(statements, p.RebuildReplaced())
	}
	s.do(slices.Concat([]string{"BEGIN", "  IF " + p.marked() + " THEN"}, execute("    ", statements...), []string{"  END IF;", "END"})...)
}

func (p Postgres) restoreRows(s *script) {
	s.comment("the rows come back exactly as they were")
	s.do("DECLARE kept bigint; back bigint; lost bigint;", "BEGIN",
		"  SELECT * INTO kept FROM ("+p.CountQuarantine()+") AS c;",
		p.restoreInto()+";",
		"  IF back <> kept OR lost <> 0 THEN",
		"    RAISE EXCEPTION 'twinrow: % of % rows came back, % of them not as they were, because a trigger or rule changes them; nothing was changed', back, kept, lost;",
		"  END IF;", "END")
}

// dropEmpty drops the quarantine once nothing is in it.
func dropEmpty(quarantine string) []string {
	return []string{"BEGIN",
		"  LOCK TABLE " + quarantine + " IN ACCESS EXCLUSIVE MODE;",
		"  IF NOT EXISTS (SELECT FROM " + quarantine + ") THEN",
		"    DROP TABLE " + quarantine + ";", "  END IF;", "END"}
}

// restoreInto is Restore with its result put into the variables back and lost.
func (p Postgres) restoreInto() string {
	return p.Restore() + " INTO back, lost"
}
