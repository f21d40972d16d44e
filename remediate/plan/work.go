package plan

import (
	"fmt"
	"slices"

	"twinrow/detect/casefile"
)

// Work is a planned table joined with the evidence: all that dialect and apply
// need to know of it.
type Work struct {
	*Table
	Engine, CaseID string
	// Case is the table as the scan saw it.
	Case *CaseTable
	// Groups are the planned groups with their rows' images.
	Groups []WorkGroup
	// Touching are the works of the plan that change rows of this table which
	// stay, in their order; this one may be among them.
	Touching []*Work
}

// touches tells whether a work changes rows of a table that stay.
func (w *Work) touches(table string) bool {
	return slices.ContainsFunc(w.Operations, func(o Operation) bool {
		return o.Table == table && slices.Contains([]string{OpRepoint, OpMerge, OpSet}, o.Op)
	})
}

// WorkGroup is a planned group with the images of its rows.
type WorkGroup struct {
	Number int
	Key    Fields
	Keep   RowRef
	// Remove are the rows that go; those that stay and are made unique where
	// the plan sets columns.
	Remove []RowRef
	// References are what is foretold to refer to them.
	References []GroupReference
}

// RowRef is a row to find again, and what it must look like.
type RowRef struct {
	ID Fields
	// Image is the evidence's; see the source's Row.
	Image string
}

// Work joins the plan with the evidence of its case. A plan that names a row
// which the evidence does not hold is an error.
func (p *Plan) Work(opened *Case) ([]*Work, error) {
	if p.CaseSHA256 != opened.SHA256 {
		return nil, otherCase()
	}
	var all []*Work
	groups := map[int][]casefile.RowImage{}
	if err := opened.EachImages(func(g casefile.Images) error { groups[g.Number] = g.Rows; return nil }); err != nil {
		return nil, err
	}
	for i := range p.Tables {
		w := &Work{Table: &p.Tables[i], Engine: p.Engine, CaseID: p.CaseID, Case: opened.TableNamed(p.Tables[i].Name)}
		if w.Case == nil {
			return nil, otherCase()
		}
		for _, g := range w.Table.Groups {
			joined, err := join(&g, groups[g.Number])
			if err != nil {
				return nil, err
			}
			w.Groups = append(w.Groups, joined)
		}
		all = append(all, w)
	}
	for _, w := range all {
		for _, other := range all {
			if other.touches(w.Table.Table) {
				w.Touching = append(w.Touching, other)
			}
		}
	}
	return all, nil
}

func join(g *Group, evidence []casefile.RowImage) (WorkGroup, error) {
	out := WorkGroup{Number: g.Number, Key: g.Key, References: g.References, Remove: make([]RowRef, 0, len(g.Remove)+len(g.Set))}
	next := 0 // the plan mostly has the rows in the order of the evidence
	ref := func(id Fields) (RowRef, error) {
		for range evidence {
			row := evidence[next]
			if next = (next + 1) % len(evidence); row.ID.Equal(id) {
				return RowRef{ID: id, Image: row.Image}, nil
			}
		}
		return RowRef{}, &Problem{Code: CodeTampered, Message: fmt.Sprintf("the plan names the row %s in group %d, which the evidence does not hold", IDText(id), g.Number), Hint: "run `twinrow plan` again"}
	}
	var err error
	if out.Keep, err = ref(g.Keep); err != nil {
		return out, err
	}
	for _, id := range slices.Concat(g.Remove, g.Set) {
		row, err := ref(id)
		if err != nil {
			return out, err
		}
		out.Remove = append(out.Remove, row)
	}
	return out, nil
}

// RemoveCount counts the rows that the groups lose, or that are set.
func (w *Work) RemoveCount() int { return w.Removed() + w.SetRows() }

// Index is the index that the plan builds, or nil.
func (w *Work) Index() *Index {
	if o := w.Operation(OpUniqueIndex); o != nil {
		return o.Index
	}
	return nil
}

// WritableColumns are the names of the columns that a restored row is given:
// all but those that the engine computes.
func (w *Work) WritableColumns() []string {
	var names []string
	for _, c := range w.Case.Columns {
		if !c.Generated {
			names = append(names, c.Name)
		}
	}
	return names
}
