package notify

import (
	"encoding/json"
	"fmt"

	"twinrow/detect/casefile"
	"twinrow/templates"
)

// customer is one address and all that the mail to it is about.
type customer struct {
	address address
	// name is "" where none is known, or where the entries do not agree on one.
	name string
	// language is that of the first entry that names one there are templates for.
	language string
	entries  []entry
}

// entry is one group as the plan decided it.
type entry struct {
	group *casefile.Group
	table *casefile.Table
	keep  *casefile.Row
	drop  []*casefile.Row
	// cleanup is the Choice's.
	cleanup string
}

// collector gathers groups by customer, in the order of their first group.
type collector struct {
	opened    *casefile.Opened
	choices   map[int]*Choice
	customers []*customer
	byAddress map[string]*customer
	// entries are all that the plan speaks of, by group.
	entries map[int]entry
	skipped []Skip
	options *Options
	// strange counts the languages that there are no templates for.
	strange map[string]int
}

// collect settles for each group whom to write to, or why nobody.
func collect(opened *casefile.Opened, groups []*casefile.Group, choices []Choice, options *Options) (*collector, error) {
	c := &collector{opened: opened, options: options, choices: map[int]*Choice{}, byAddress: map[string]*customer{}, entries: map[int]entry{}, strange: map[string]int{}}
	for i := range choices {
		c.choices[choices[i].Group] = &choices[i]
	}
	for _, group := range groups {
		if err := c.add(group); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *collector) add(group *casefile.Group) error {
	table := c.opened.TableNamed(group.Table)
	if table == nil || len(group.Rows) == 0 {
		return &Problem{Code: casefile.CodeTampered, Message: fmt.Sprintf("group %d has no rows, or is of a table that the case does not have", group.Number), Hint: "scan again"}
	}
	choice := c.choices[group.Number]
	skip := Skip{Group: group.Number, Table: group.Table}
	if choice == nil {
		skip.Reason, skip.Detail = NotPlanned, "the plan says nothing about it"
		c.describe(&skip, table, &group.Rows[0])
		return nil
	}
	made, err := planned(group, table, choice)
	if err != nil {
		return err
	}
	c.entries[group.Number] = made
	to, reason, detail := recipient(table, group)
	if skip.Reason, skip.Detail = c.standing(choice, &made); skip.Reason == "" {
		skip.Reason, skip.Detail = reason, detail
	}
	if skip.Reason == "" && c.options.SkipRoles && isRole(to) {
		skip.Reason, skip.Detail = RoleAddress, "the address belongs to an office, not to a person"
	}
	if skip.Reason == "" {
		c.give(to, made)
		return nil
	}
	c.describe(&skip, table, made.keep)
	return nil
}

// standing says why nobody is written to about a group whoever its customer
// is, "" where nothing is against it.
func (c *collector) standing(choice *Choice, made *entry) (SkipReason, string) {
	switch {
	case choice.Held:
		return GroupHeld, choice.HeldReason
	case choice.Drifted:
		return GroupDrifted, "the clean-up left it alone: its rows were no longer as the evidence has them"
	case len(made.drop) == 0:
		return NotPlanned, "the plan removes none of its rows"
	case choice.Cleanup == templates.CopiesPlanned && !c.options.BeforeCleanup:
		return NotRemovedYet, "its copies are not removed yet"
	}
	return "", ""
}

// describe records a skip with what the row says about its customer.
func (c *collector) describe(skip *Skip, table *casefile.Table, row *casefile.Row) {
	skip.Address = value(row, table.Email)
	skip.Name = value(row, table.Person)
	c.skipped = append(c.skipped, *skip)
}

// planned finds the rows that the plan speaks of among those of the evidence.
func planned(group *casefile.Group, table *casefile.Table, choice *Choice) (entry, error) {
	rows := map[string]*casefile.Row{}
	for i := range group.Rows {
		rows[rowKey(group.Rows[i].ID)] = &group.Rows[i]
	}
	made := entry{group: group, table: table, keep: rows[rowKey(choice.Keep)], cleanup: choice.Cleanup}
	if made.keep == nil {
		if !choice.Held {
			return entry{}, strangerInPlan(group)
		}
		made.keep = &group.Rows[0]
	}
	removed := map[*casefile.Row]bool{}
	for _, id := range choice.Remove {
		row := rows[rowKey(id)]
		if row == nil || row == made.keep {
			return entry{}, strangerInPlan(group)
		}
		removed[row] = true
	}
	for i := range group.Rows { // in the order of the evidence, which is that of time
		if removed[&group.Rows[i]] {
			made.drop = append(made.drop, &group.Rows[i])
		}
	}
	return made, nil
}

func strangerInPlan(group *casefile.Group) error {
	return &Problem{Code: casefile.CodeDrift, Message: fmt.Sprintf("what the plan says of group %d does not fit its rows in the evidence", group.Number), Hint: "run `twinrow plan` again for this case"}
}

func rowKey(id casefile.Fields) string {
	raw, err := json.Marshal(id)
	if err != nil {
		return ""
	}
	return string(raw)
}

// value returns a column of a row, "" where there is none.
func value(row *casefile.Row, column string) string {
	if column == "" {
		return ""
	}
	v, _ := row.Values.Get(column)
	return v
}

// recipient finds the one address that all rows of the group have; a row
// without any is no objection. Where rows disagree nobody can say whose the
// entry is, and a mail would tell one customer of another.
func recipient(table *casefile.Table, group *casefile.Group) (to address, reason SkipReason, detail string) {
	if table.Email == "" {
		return address{}, NoColumn, "the case names no column of addresses for this table"
	}
	var malformed error
	found := map[string]bool{}
	for i := range group.Rows {
		raw := cleanLine(value(&group.Rows[i], table.Email), 1000)
		if raw == "" {
			continue
		}
		parsed, err := parseAddress(value(&group.Rows[i], table.Email))
		if err != nil {
			malformed = err
			parsed.identity = raw
		}
		if len(found) == 0 {
			to = parsed
		}
		found[parsed.identity] = true
	}
	switch {
	case len(found) == 0:
		return address{}, NoAddress, "none of its rows has an address"
	case len(found) > 1:
		return address{}, SeveralAddresses, "its rows have different addresses: look at whose it is, and write by hand"
	case malformed != nil:
		return address{}, MalformedAddress, malformed.Error()
	}
	return to, "", ""
}

// give adds an entry to the customer's mail.
func (c *collector) give(to address, made entry) {
	name := cleanName(value(made.keep, made.table.Person))
	known := c.byAddress[to.identity]
	if known == nil {
		known = &customer{address: to, name: name}
		c.byAddress[to.identity] = known
		c.customers = append(c.customers, known)
	}
	if known.name != name {
		known.name = "" // two names at one address: greet neither of them wrongly
	}
	if language := c.languageOf(made); known.language == "" {
		known.language = language
	}
	known.entries = append(known.entries, made)
}
