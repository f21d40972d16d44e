package html

import (
	"fmt"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/report"
	"twinrow/templates"
)

// maxTrials is how many other keys are listed.
const maxTrials = 40

// maxFacts is how many lines stand under one heading.
const maxFacts = 30

// variants are the ways in which other keys were compared.
var variants = map[string]string{
	"as-given":           "as given",
	"nulls-equal":        "NULL equals NULL",
	"case-folded":        "upper and lower case alike",
	"trimmed":            "without spaces around",
	"folded-and-trimmed": "case alike, without spaces around",
	"subset":             "fewer columns",
}

func keys(lab *casefile.KeyLab) (trials []templates.PageTrial, sentences []string) {
	if lab == nil {
		return nil, nil
	}
	for _, t := range lab.Trials[:min(len(lab.Trials), maxTrials)] {
		variant, known := variants[t.Variant]
		if !known {
			variant = name(t.Variant)
		}
		trials = append(trials, templates.PageTrial{
			Variant: variant, Key: "(" + sentence(strings.Join(t.Key, ", ")) + ")",
			Groups: report.Number(t.Groups), Surplus: report.Number(t.Surplus), Given: t.Variant == "as-given",
		})
	}
	return trials, says(lab.Says)
}

// facts are what else the case tells of a table, each under its heading.
func facts(t *report.Table, index int) []templates.PageFacts {
	var all []templates.PageFacts
	add := func(heading, from string, lines []string) {
		if more := len(lines) - maxFacts; more > 0 {
			lines = append(lines[:maxFacts:maxFacts], "And "+report.Number(more)+" more, in the JSON.")
		}
		if len(lines) > 0 {
			all = append(all, templates.PageFacts{Heading: heading, From: report.TableField(index, from), Lines: lines})
		}
	}
	if t.Impact != nil {
		add("What else it touches", "impact", impact(t.Impact))
	}
	if t.Retries != nil {
		add("Retry schedules that fit", "retries.providers", providers(t.Retries))
	}
	if t.Incident != nil && len(t.Incident.Buckets) == 0 {
		add("The incident", "incident.says", says(t.Incident.Says))
	}
	if t.Clock != nil {
		add("The clock", "clock.says", says(t.Clock.Says))
	}
	if t.KeyLab != nil && len(t.KeyLab.Trials) == 0 {
		add("Other keys", "key_lab.says", says(t.KeyLab.Says))
	}
	return all
}

func impact(i *casefile.Impact) []string {
	var lines []string
	for _, r := range i.References {
		lines = append(lines, sentence(fmt.Sprintf("%s of %s refer to %s by %s.", report.Count(r.Rows, "row"), r.Table, report.Count(r.Surplus, "surplus row"), r.ForeignKey)))
	}
	for _, c := range i.DifferingColumns {
		lines = append(lines, sentence(fmt.Sprintf("Copies differ in %s in %s.", c.Name, report.Count(c.Count, "group"))))
	}
	for _, c := range i.UsedBy {
		lines = append(lines, sentence(fmt.Sprintf("%s used since, told by %s.", report.Count(c.Count, "surplus row"), c.Name)))
	}
	return lines
}

func providers(retries *casefile.Retries) []string {
	var lines []string
	for _, p := range retries.Providers {
		line := p.Name + ": " + report.Count(p.Groups, "group") + ", " + report.Count(p.Gaps, "gap") + ", " + report.Count(p.Chains, "chain") + " of three rows and more; " +
			"schedule of " + p.Confidence + " confidence from " + p.Source
		if p.ValidFrom != "" {
			line += ", valid from " + p.ValidFrom
		}
		lines = append(lines, sentence(report.Sentence(line)))
	}
	return lines
}
