package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/casefile/proof"
	"twinrow/detect/key"
	"twinrow/remediate/plan"
	"twinrow/remediate/probe"
	"twinrow/report"
)

// reportDocument gathers what the documents of a case say.
func reportDocument(opened *casefile.Opened) (*report.Document, error) {
	groups, err := opened.Groups()
	if err != nil {
		return nil, err
	}
	extras := report.Extras{Tool: tool()}
	if extras.Plan, err = planSaid(opened.Dir); err != nil {
		return nil, err
	}
	if extras.Journal, err = journalSaid(opened.Dir); err != nil {
		return nil, err
	}
	if extras.Probes, err = probesSaid(opened.Dir); err != nil {
		return nil, err
	}
	if extras.Mails, err = mailsSaid(opened.Dir); err != nil {
		return nil, err
	}
	return report.Build(opened, groups, extras)
}

// absent tells whether a document is just not there yet.
func absent(err error) bool {
	var problem *key.Problem
	return errors.As(err, &problem) && problem.Code == key.CodeNotFound
}

func planSaid(dir string) (*report.Plan, error) {
	made, err := plan.Read(dir)
	if absent(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	p := &report.Plan{Hazards: []string{}}
	for _, h := range made.Hazards {
		p.Hazards = append(p.Hazards, string(h))
	}
	for _, t := range made.Tables {
		for _, g := range t.Groups {
			p.Choices = append(p.Choices, report.Choice{Table: t.Name, Keep: g.Keep, Remove: g.Remove, Reason: g.Reason})
		}
		p.Held += len(t.Held)
		for _, h := range t.Held {
			p.Choices = append(p.Choices, report.Choice{Table: t.Name, Remove: h.Rows, Held: h.Reason})
		}
	}
	return p, nil
}

// probesSaid reads the probes of a case, in order of time.
func probesSaid(dir string) ([]report.Probe, error) {
	files, err := filepath.Glob(filepath.Join(dir, probesDir, "*.json"))
	if err != nil {
		return nil, err
	}
	var probes []report.Probe
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a probe: %w", err)
		}
		result, err := readProbe(file, raw)
		if err != nil {
			return nil, err
		}
		probes = append(probes, report.Probe{
			Name: result.Name, Environment: result.Environment, Verdict: string(result.Verdict), Statement: statement(result), At: wholeSeconds(result.StartedAt),
			Rounds: result.Rounds, Requests: result.Requests, From: filepath.Join(probesDir, filepath.Base(file)) + ": verdict",
		})
	}
	slices.SortStableFunc(probes, func(a, b report.Probe) int { return strings.Compare(a.At, b.At) })
	return probes, nil
}

// wholeSeconds drops what nobody reads of a time of the journal.
func wholeSeconds(at string) string {
	t, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return at
	}
	return t.UTC().Format(time.RFC3339)
}

// readProbe reads the document of a probe.
func readProbe(path string, raw []byte) (*probe.Result, error) {
	if err := casefile.CheckSchema(path, raw, proof.Schema); err != nil {
		return nil, err
	}
	var result probe.Result
	if err := json.Unmarshal(raw, &result); err != nil {
		return nil, &casefile.Problem{Code: casefile.CodeBadInput, Message: "reading " + path, Hint: "it must be as `twinrow probe --format json` wrote it", Err: err}
	}
	return &result, nil
}
