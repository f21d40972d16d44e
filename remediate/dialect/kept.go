package dialect

import (
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
			" AND NOT EXISTS (SELECT 1 FROM "+s.Quarantine()+" AS q WHERE "+s.mine()+" AND q."+s.own.meta().group+" = e.group_no AND q."+s.own.meta().row+" = e.row_no))")
	out.addAll(s.DropWork())
	return nil
}
