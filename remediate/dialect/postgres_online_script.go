package dialect

import (
	"fmt"
	"slices"
	"strings"

	"twinrow/queries"
	"twinrow/remediate/plan"
)

// onlineFiles are the files of the tables that are cleaned online, each step
// with its way back.
func onlineFiles(works []*plan.Work) []plan.File {
	var files []plan.File
	add := func(name, does, undoes string, step, undo func(Postgres, *script)) {
		if up := onlineScript(works, step); up != "" {
			files = append(files, file(works, name+".sql", does, up), file(works, name+"_undo.sql", "the way back of "+name+".sql: "+undoes, onlineScript(works, undo)))
		}
	}
	add("10_fence", "keeps new duplicates out while the clean-up lasts", "the fence goes", Postgres.fenceScript, Postgres.unfenceScript)
	add("20_clean", "removes the surplus rows in small transactions; none is begun where a row is no longer as the evidence has it", "the rows come back", Postgres.batchesScript, Postgres.restoreScript)
	add("30_index", "builds the unique index while writers go on", "the index goes, if this case built it", Postgres.indexScript, Postgres.dropIndexScript)
	add("40_unfence", "takes the fence away, once the index does its work", "the fence is put up again", Postgres.fenceDoneScript, Postgres.fenceScript)
	return files
}

// onlineScript joins a step of each table, "" where none has it.
func onlineScript(works []*plan.Work, step func(Postgres, *script)) string {
	var body script
	for i, w := range works {
		var s script
		step(NewPostgres(w, i+1), &s)
		if s.String() != "" {
			body.comment(w.Table.Table)
			body.b.WriteString(s.String())
		}
	}
	if body.String() == "" {
		return ""
	}
	var head script
	head.add(fewNotices)
	for _, setting := range PostgresSettings {
		head.add(strings.Replace(setting, "SET LOCAL", "SET", 1))
	}
	head.add("SET default_transaction_read_only = off")
	head.add("SET lock_timeout = '2s'")
	head.add("SET statement_timeout = 0") // a time-out would leave the index INVALID
	head.comment("no other run of this case at the same time")
	head.do("BEGIN",
		"  FOR try IN 1..50 LOOP -- a client that has just gone may hold it for a moment yet",
		"    IF pg_catalog.pg_try_advisory_lock("+advisoryKey(works[0].CaseID)+") THEN", "      RETURN;", "    END IF;",
		"    PERFORM pg_catalog.pg_sleep(0.1);", "  END LOOP;",
		"  RAISE EXCEPTION 'twinrow: another run works on this case; nothing was changed';", "END")
	body.comment("other runs may have the case again")
	body.do("BEGIN", "  PERFORM pg_catalog.pg_advisory_unlock("+advisoryKey(works[0].CaseID)+");", "END")
	return head.String() + body.String()
}

// each runs the statements that a query returns, one by one, by psql.
func (s *script) each(query string) { s.line(query + " \\gexec") }

func (p Postgres) fenceScript(s *script) {
	if p.Index() == nil {
		return
	}
	s.comment("an index for the look-up, where the table has none on the key; what an interrupted run left of one is dropped first")
	s.each(p.DropBrokenHelpers())
	s.each(p.HelperStatements())
	s.comment("the trigger refuses what the index will refuse")
	s.do(p.FenceBlock()...)
}

func (p Postgres) unfenceScript(s *script) {
	if p.Index() == nil {
		return
	}
	s.add("BEGIN")
	s.addAll(p.FenceDown())
	s.add("COMMIT")
	s.each(p.DropHelpers())
}

func (p Postgres) fenceDoneScript(s *script) {
	if p.Index() == nil {
		return
	}
	s.do(append(append([]string{"BEGIN"}, raiseUnless("(SELECT c.ok FROM ("+p.IndexSound()+") AS c (ok, detail))",
		"twinrow: the unique index is not there yet; run 30_index.sql first")...), "END")...)
	p.unfenceScript(s)
}

// batchesScript lists all rows once, looks at them all, and then removes them
// in batches: a batch takes its rows from the list.
func (p Postgres) batchesScript(s *script) {
	if len(p.Groups) == 0 {
		return
	}
	s.do(append([]string{"BEGIN"}, append(raiseUnless(effectsCount, effectsCountMessage), "END")...)...)
	all := p
	all.work = p.work + "_all"
	s.comment("the rows to remove and the rows that stay, as the evidence has them")
	s.add("BEGIN")
	s.add(strings.Replace(all.CreateWork(), "ON COMMIT DROP", "ON COMMIT PRESERVE ROWS", 1))
	all.fill(s)
	s.add(all.AnalyzeWork())
	s.add(all.CreateQuarantine())
	if p.ChangesRows() {
		s.add(all.CreateChanges())
		all.made = append(slices.Clone(all.made), all.Changes())
	}
	s.add("COMMIT")
	s.add("BEGIN")
	s.comment("before the first batch, all of them must be as the evidence has them, but for what a run before removed")
	s.addAll(all.ForgetDone())
	for _, r := range all.Recalls() {
		if slices.Contains(all.made, r.Changes) {
			s.addAll(r.SQL)
		}
	}
	if move := all.Relocate(); move != "" {
		s.do("BEGIN", "  IF ("+all.Missing()+") > 0 THEN", move+";", "  END IF;", "END")
	}
	all.requireSame(s)
	s.add("ROLLBACK")
	for i, groups := range Batches(p.Groups, OnlineBatch) {
		p.batchScript(s, i+1, groups, all.work)
	}
}

func (p Postgres) batchScript(s *script, n int, groups []plan.WorkGroup, list string) {
	batch := p
	batch.Work, batch.listed = Batch(p.Work, groups), list
	batch.span = p.Between(groups[0].Number, groups[len(groups)-1].Number).span
	s.comment(fmt.Sprintf("batch %d", n))
	s.add("BEGIN ISOLATION LEVEL READ COMMITTED")
	batch.cleanRows(s, n)
	s.add("COMMIT")
	s.do("BEGIN", "  PERFORM pg_catalog.pg_sleep(0.02);", "END")
}

// fillListed takes the rows of the batch's groups from the list.
func (p Postgres) fillListed() string {
	return fmt.Sprintf("INSERT INTO %s SELECT l.* FROM %s AS l WHERE l.group_no BETWEEN %d AND %d",
		p.work, p.listed, p.Groups[0].Number, p.Groups[len(p.Groups)-1].Number)
}

// restoreScript puts the rows back batch by batch.
func (p Postgres) restoreScript(s *script) {
	if len(p.Groups) == 0 {
		return
	}
	tables := []string{p.Quarantine()}
	s.add(p.CreateQuarantine())
	if p.ChangesRows() {
		s.add(p.CreateChanges())
		tables = append(tables, p.Changes())
	}
	s.add("BEGIN")
	p.requireKept(s)
	s.add("ROLLBACK")
	for i, groups := range slices.Backward(Batches(p.Groups, OnlineBatch)) { // what two batches changed comes back in the reverse order
		s.comment(fmt.Sprintf("batch %d", i+1))
		p.Between(groups[0].Number, groups[len(groups)-1].Number).restoreBatch(s)
	}
	for _, table := range tables {
		s.do(dropEmpty(table)...)
	}
}

func (p Postgres) restoreBatch(s *script) {
	survivors, others := p.Backs()
	s.add("BEGIN ISOLATION LEVEL READ COMMITTED")
	s.add(p.Restoring())
	p.backs(s, survivors)
	if p.Operation(plan.OpDelete) != nil {
		p.restoreRows(s)
	}
	p.backs(s, others)
	if p.ChangesRows() {
		s.add(p.ReleaseChanges())
	}
	s.add(p.Release())
	s.add("COMMIT")
}

func (p Postgres) indexScript(s *script) {
	if p.Index() == nil {
		return
	}
	s.comment("an index of that name is ours only if it has our mark; INVALID ones with just this definition are dropped and built again")
	s.add("BEGIN")
	s.addAll(p.ShapeTable())
	s.line(p.IndexStanding() + " \\gset twinrow_")
	s.add("ROLLBACK")
	s.each("SELECT " + queries.Literal("DROP INDEX CONCURRENTLY "+p.IndexName()) + " WHERE :'twinrow_standing' IN ('inert', 'enforcing')")
	s.line("SELECT pg_catalog.set_config('twinrow.standing', :'twinrow_standing', false);")
	s.do(append(append([]string{"BEGIN"}, raiseUnless("pg_catalog.current_setting('twinrow.standing') IN ('none', 'inert', 'enforcing', 'ours')",
		"twinrow: "+p.Index().Name+" exists, and this case did not build it; nothing was changed")...), "END")...)
	if p.Index().Replaces != nil {
		s.do(slices.Concat([]string{"BEGIN"}, raiseUnless("coalesce("+p.marked()+", false) OR "+p.ReplacedStands(true), p.replacedMessage()), []string{"END"})...)
	}
	s.each(p.DropBuilt(true))
	s.comment("the build waits for transactions that are open; nobody waits for it")
	s.add("SET lock_timeout = 0")
	s.each(p.BuildStatements())
	s.add("SET lock_timeout = '2s'")
	s.do(p.FinishBlock()...)
	if p.Index().Replaces != nil {
		s.comment("the index that it replaces goes; nobody waits for this either")
		s.add("SET lock_timeout = 0")
		s.each(p.DropReplacedBeside())
		s.add("SET lock_timeout = '2s'")
	}
}

func (p Postgres) dropIndexScript(s *script) {
	if p.Index() == nil {
		return
	}
	if p.Index().Replaces != nil {
		s.comment("the index that it replaced comes back first")
		s.add("SET lock_timeout = 0")
		s.each(p.DropBrokenReplaced())
		s.each(p.RebuildReplacedBeside())
		s.add("SET lock_timeout = '2s'")
	}
	p.dropOurIndex(s)
	s.each(p.DropBuilt(false))
}
