package main

import (
	"twinrow/detect/casefile"
	"twinrow/detect/casefile/config"
	"twinrow/detect/key"
)

// configHelp shows every key of twinrow.yaml.
const configHelp = `CONFIG
   ${NAME} and ${NAME:-default} take the environment; the copy of the file in the case keeps
   them as they are. An entry needs table and key; everything else may be left out.

   source: ${DATABASE_URL}                   # SOURCE on the command line goes before it
   tables:
     - table: public.tickets
       key: [payment_intent_id, ticket_number]   # columns or SQL expressions
       where: deleted_at IS NULL                 # rows the key speaks of
       nulls: distinct                           # or not-distinct
       time: created_at
       id: [id]                                  # default: the primary key
       email: customer_email
       name: customer_name
       amount: amount_cents
       ignore: [updated_at]                      # not compared between copies
       provider: stripe                          # default: all are tried
       keep: first                               # last, most-referenced, or as in ORDER BY: ["seen_at DESC", "id"]
       invariants: ["status = 'checked_in'"]     # a group with such rows keeps one of them
       surplus: delete                           # or {set: {username: "username || '_' || id"}}
       differing: hold                           # keep-survivor, merge: groups whose copies differ
       merge: {value: sum, note: first-non-null} # sum min max and or first-non-null concat keep
       references:                               # beside the foreign keys, which are found
         - {table: scans, column: ticket_id, on_conflict: drop}    # stop, drop, merge
         - {table: tallies, column: ticket_id, on_conflict: merge, merge: {n: sum}}
         - {table: sessions, column: ticket_id, action: delete}    # repoint, delete, set-null, stop
         - {table: comments, column: subject_id, where: "subject_type = 'ticket'"}
         - {table: playlists, column: ticket_ids, array: true}     # on_conflict: stop, drop (one id stays), keep
       index: {name: one_ticket, constraint: false, replaces: old_idx}   # columns, where; or false

   A table may stand in several entries, each with a where and rules of its own. There a name
   that is none of the table's columns is the entry's own name in reports and plans; entries
   without one are called by the table, with a number: tickets, tickets-2.
   plan, apply, verify and notify read the rules from the copy in the case.`

// configOf is the configuration that a case was scanned by, nil for none.
// Columns of addresses, names and amounts that were put into the copy after
// the scan are put into the case that was read.
func (p *program) configOf(opened *casefile.Opened) (*config.File, error) {
	file, err := config.OfCase(opened, p.getenv)
	if file == nil || err != nil {
		return nil, err
	}
	for i := range file.Tables {
		if err := customerColumns(&opened.Tables[i], &file.Tables[i]); err != nil {
			return nil, err
		}
	}
	return file, nil
}

func customerColumns(t *casefile.Table, entry *config.Table) error {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = c.Name
	}
	for what, column := range map[string]struct {
		name string
		to   *string
	}{"email": {entry.Email, &t.Email}, "name": {entry.Name, &t.Person}, "amount": {entry.Amount, &t.Amount}} {
		found, err := key.ResolveColumn(what+" column", column.name, columns)
		switch {
		case column.name == "":
		case err == nil:
			*column.to = found
		case what == "email" && column.name == "none":
			*column.to = ""
		case what == "name" && column.name == t.Name:
		default:
			return err
		}
	}
	return nil
}
