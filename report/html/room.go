package html

import (
	"strings"

	"twinrow/templates"
)

const (
	// maxGroups is how many groups a page shows: more are not read by anybody.
	maxGroups = 500
	// maxBytes is about what all groups of a page may take, so that the page
	// stays well under five megabytes.
	maxBytes = 3_000_000
)

// room is what is left of a page for groups. Each table has its share, and
// what one leaves the next may use.
type room struct {
	groups, bytes int
	tables        int
	limitGroups   int
	limitBytes    int
}

func newRoom(tables int) *room {
	r := &room{groups: maxGroups, bytes: maxBytes, tables: tables}
	r.share()
	return r
}

func (r *room) share() {
	if r.tables > 0 {
		r.limitGroups = r.groups - r.groups/r.tables
		r.limitBytes = r.bytes - r.bytes/r.tables
	}
}

// take tells whether a group still fits, and takes its room if so. The first
// group of a table fits unless the page is full altogether.
func (r *room) take(g *templates.PageGroup, before int) bool {
	size := weigh(g)
	fits := r.groups > r.limitGroups && r.bytes-size >= r.limitBytes
	if before == 0 {
		fits = r.bytes >= size && r.groups > 0
	}
	if fits {
		r.groups--
		r.bytes -= size
	}
	return fits
}

// next gives the next table its share of what is left.
func (r *room) next() {
	r.tables--
	r.share()
}

// What markup costs, in bytes, around a group, a line, a row's head, a column and a value.
const (
	groupMarkup  = 1100
	lineMarkup   = 30
	rowMarkup    = 300
	columnMarkup = 110
	valueMarkup  = 90
)

// weigh is about how many bytes of markup a group becomes.
func weigh(g *templates.PageGroup) int {
	size := groupMarkup + weighText(g.IDs) + weighText(g.Decision) + 2*weighText(g.Gap)
	for _, k := range g.Key { // it stands in the list and in the group
		size += 2 * (valueMarkup + weighText(k.Name) + weighText(k.Text))
	}
	for _, lines := range [][]string{g.Reasons, g.Used} {
		for _, line := range lines {
			size += lineMarkup + weighText(line)
		}
	}
	for _, r := range g.Rows {
		size += rowMarkup + weighText(r.ID) + weighText(r.Written)
	}
	for _, c := range g.Columns {
		size += columnMarkup + weighText(c.Name) + weighText(c.Path) + weighText(c.Remark)
		for _, v := range c.Values {
			size += valueMarkup + weighText(v.Text) + weighText(v.Part) + weighText(v.After)
		}
	}
	return size
}

// weighText is how long a text is once escaped: five bytes at most for a sign.
func weighText(text string) int {
	size := len(text)
	for i := range len(text) {
		if strings.IndexByte("<>&\"'+", text[i]) >= 0 {
			size += 4
		}
	}
	return size
}
