package plan

import "testing"

// TestRulesNameColumnsAsAnybodyDoes: what a reference is declared by is found
// again, quoted or not, as the scan found it.
func TestRulesNameColumnsAsAnybodyDoes(t *testing.T) {
	table := &CaseTable{Table: "public.tickets", IncomingKeys: []ForeignKey{
		{Table: `public."Scans"`, Columns: []string{"Ticket ID"}, References: []string{"id"}},
		{Table: "public.notes", Columns: []string{"ticket_id"}, References: []string{"id"}},
	}}
	for written, want := range map[string]int{`"Ticket ID"`: 0, "Ticket ID": 0, "ticket id": 0, `"ticket_id"`: 1, "Ticket_ID": 1} {
		name := []string{`"Scans"`, "notes"}[want]
		all, err := references("postgres", table, []ReferenceRule{{Table: name, Columns: []string{written}, Action: DeleteRow}})
		if err != nil || all[want].Action != DeleteRow || all[1-want].Action != Repoint {
			t.Errorf("%s (%s): %+v, %v", name, written, all, err)
		}
	}
	if _, err := references("postgres", table, []ReferenceRule{{Table: "notes", Columns: []string{`"TICKET_ID"`}}}); err == nil {
		t.Error("a quoted name fits a column of another case")
	}
}
