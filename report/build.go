package report

import (
	"fmt"

	"twinrow/detect/casefile"
)

// Build puts a case, its groups and what the other documents say into one
// Document. The groups are those of opened.Groups; values of rows are shared
// with them, not copied. The error says where the evidence speaks of a table
// that the case does not have.
func Build(opened *casefile.Opened, groups []*casefile.Group, extras Extras) (*Document, error) {
	doc := &Document{
		Schema:     Schema,
		Tool:       extras.Tool,
		CaseID:     opened.ID,
		CaseSHA256: opened.SHA256,
		ScannedAt:  opened.CreatedAt,
		Tables:     make([]Table, len(opened.Tables)),
		Plan:       extras.Plan,
		Journal:    extras.Journal,
		Probes:     extras.Probes,
		Mails:      extras.Mails,
		Dir:        opened.Dir,
	}
	places := map[string]*Table{}
	for i := range opened.Tables {
		doc.Tables[i] = buildTable(opened.Source, &opened.Tables[i])
		places[opened.Tables[i].Name] = &doc.Tables[i]
	}
	for _, g := range groups {
		table := places[g.Table]
		if table == nil {
			return nil, fmt.Errorf("placing group %d: the case has no table %q", g.Number, g.Table)
		}
		table.Groups = append(table.Groups, buildGroup(g))
	}
	if extras.Plan != nil {
		doc.choose(extras.Plan.Choices)
	}
	doc.tell()
	return doc, nil
}

// tell puts into words what stands in the document by now.
func (d *Document) tell() {
	for i := range d.Tables {
		d.Tables[i].Answers = d.Tables[i].answers(i)
	}
	d.Checklist, d.Timeline = d.checklist(), d.timeline()
}

func buildTable(source casefile.Source, t *casefile.Table) Table {
	table := Table{
		Source: Source{Engine: source.Engine, Version: source.Version, Database: source.Database},
		Name:   t.Name, Table: t.Table, Key: t.KeyNames(), Nulls: t.Nulls, Where: t.Where,
		Time: t.Time, ID: list(t.ID), Email: t.Email, Person: t.Person, Amount: t.Amount, Ignore: list(t.Ignore),
		Windows: t.Windows, Way: t.Way, WayReason: t.WayReason, UniqueBy: list(t.UniqueBy),
		ScannedRows: t.ScannedRows, NullKeyRows: t.NullKeyRows, BadLines: t.BadLines, Untimed: t.Untimed,
		Totals: t.Totals, Clock: t.Clock, Impact: t.Impact, Incident: t.Incident, Retries: t.Retries, KeyLab: t.KeyLab,
		Groups: make([]Group, 0, t.Totals.Groups),
	}
	if table.Totals.ByClass == nil {
		table.Totals.ByClass = map[casefile.Class]int{}
	}
	return table
}

func buildGroup(g *casefile.Group) Group {
	group := Group{
		Number: g.Number, Key: fields(g.Key), Class: g.Class, Strength: g.Strength, Mixed: g.Mixed,
		SpanUS: g.SpanUS, Identical: g.Identical, Differs: list(g.Differs), Reasons: list(g.Reasons), Unknown: list(g.Unknown),
		Differences: g.Differences, Fits: g.Fits, Rows: make([]Row, len(g.Rows)),
	}
	for i, r := range g.Rows {
		group.Rows[i] = Row{
			ID: fields(r.ID), Time: r.Time, GapUS: r.GapUS, Class: r.Class, Strength: r.Strength,
			Written: r.Written, References: r.References, UsedSince: r.UsedSince, Values: fields(r.Values),
		}
	}
	return group
}

// list makes an absent list an empty one, which JSON shows as [].
func list(items []string) []string {
	if items == nil {
		return []string{}
	}
	return items
}

func fields(f casefile.Fields) casefile.Fields {
	if f == nil {
		return casefile.Fields{}
	}
	return f
}
