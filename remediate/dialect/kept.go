package dialect

import (
	"strings"

	"twinrow/queries"
)

// requireKept refuses a way back over a damaged quarantine: a row that was
// removed must be in it, unless it is in the table, as after an undo before.
func (p Postgres) requireKept(s *script) {
	if len(p.Groups) == 0 {
		return
	}
	s.comment("every row that was removed must be in quarantine, or back in the table already")
	s.add(p.CreateWork())
	p.fill(s)
	s.add(p.AnalyzeWork())
	if move := p.Relocate(); move != "" {
		s.add(move)
	}
	s.do("DECLARE bad record;", "BEGIN",
		"  SELECT * INTO bad FROM ("+p.States()+") AS s WHERE NOT s.keep AND s.state = 'gone'",
		"    AND NOT EXISTS (SELECT FROM "+p.Quarantine()+" AS q WHERE "+p.mine()+" AND q.group_no = s.group_no AND q.row_no = s.row_no) LIMIT 1;",
		"  IF FOUND THEN",
		"    RAISE EXCEPTION 'twinrow: row % of group % is neither in quarantine nor in the table; nothing was changed', bad.row_id, bad.group_no",
		"      USING HINT = "+queries.Literal(keptHint)+";", "  END IF;", "END")
}

// keptHint is for both engines' files.
const keptHint = "put the row back into the quarantine from a backup; where twinrow itself cleaned and left the group alone, take back with twinrow undo, which has a journal"

// requireKept does the same for SQLite and D1.
func (s SQLite) requireKept(out *script) error {
	out.comment("every row that was removed must be in quarantine, or back in the table already; else: " + keptHint)
	out.addAll(s.CreateWork())
	if err := s.fill(out); err != nil {
		return err
	}
	s.require(out, "a removed row is neither in quarantine nor in the table; nothing was changed",
		"NOT EXISTS (SELECT 1 FROM "+s.expected()+" AS e WHERE NOT e.keep"+
			" AND NOT EXISTS (SELECT 1 FROM "+s.found()+" AS f WHERE f.group_no = e.group_no AND f.row_no = e.row_no)"+
			" AND NOT EXISTS (SELECT 1 FROM "+s.Quarantine()+" AS q WHERE "+s.mine()+" AND q."+s.meta.group+" = e.group_no AND q."+s.meta.row+" = e.row_no))")
	out.addAll(s.DropWork())
	return nil
}

// guardQuarantine makes the quarantine of D1, where no transaction takes it
// back: only where nothing is there yet and every row is as the evidence has
// it. The statement itself fails where that does not hold, so that a client
// that goes on after an error leaves no empty quarantine behind.
func (s SQLite) guardQuarantine(out *script) {
	there := "EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = " + s.Literal(s.QuarantineName()) + ")"
	holds := []string{"NOT EXISTS (" + s.missing() + ")"}
	out.comment("before the first run, every row must be as the evidence has it; those that are not are listed")
	out.add("SELECT 'not as the evidence has it: row ' || m.row_id || ' of group ' || m.group_no FROM (" + s.missing() + ") AS m WHERE NOT " + there)
	s.require(out, "a row is no longer as the evidence has it; nothing was changed", "("+there+" OR "+holds[0]+")")
	for _, k := range s.Case.IncomingKeys {
		free := "NOT EXISTS (" + s.Referrers(k) + ")"
		s.require(out, k.Table+" refers to a row that is to go; nothing was changed", "("+there+" OR "+free+")")
		holds = append(holds, free)
	}
	m := s.meta
	names := append([]string{m.entry, m.group, m.row, m.rowID, m.survivor, m.takenAt, m.rowid}, s.WritableColumns()...)
	columns := make([]string, len(names))
	for i, name := range names {
		columns[i] = "NULL AS " + queries.Ident(name)
	}
	out.add("CREATE TABLE IF NOT EXISTS " + s.Quarantine() + " AS SELECT " + strings.Join(columns, ", ") + "\n" +
		"  WHERE CASE WHEN " + strings.Join(holds, " AND ") + " THEN 0 ELSE abs(-9223372036854775808) END")
	out.add("CREATE UNIQUE INDEX IF NOT EXISTS " + queries.Ident(s.QuarantineName()+"_rows") + " ON " + queries.Ident(s.QuarantineName()) + " (" + strings.Join([]string{m.entry, m.group, m.row}, ", ") + ")")
}
