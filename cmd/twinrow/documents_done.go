package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"twinrow/detect/casefile"
	"twinrow/remediate/apply"
	"twinrow/remediate/journal"
	"twinrow/remediate/notify"
	"twinrow/report"
)

// journalSaid is nil where nothing was begun.
func journalSaid(dir string) (*report.Journal, error) {
	summary, err := apply.Summarise(dir)
	if err != nil || summary.State == "" {
		return nil, err
	}
	j := &report.Journal{State: report.JournalState(summary.State), Removed: int64(summary.Removed), At: wholeSeconds(summary.At), Indexes: []string{}}
	records, err := journal.Read(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	for _, r := range records {
		var did work
		_ = json.Unmarshal(r.Data, &did) // other events have other data, or none
		switch {
		case r.Event == "undone":
			j.Indexes, j.Drifted = []string{}, 0
		case r.Event == "committed" && did.Index != "" && !slices.Contains(j.Indexes, did.Index):
			j.Indexes = append(j.Indexes, did.Index)
		}
		if r.Event == "committed" {
			j.Drifted += len(did.Drifted)
		}
		if text := did.text(r.Event); text != "" {
			j.Events = append(j.Events, report.Event{At: wholeSeconds(r.Time), Text: text, From: fmt.Sprintf("journal.jsonl: n %d", r.Number)})
		}
	}
	return j, nil
}

// work is what a record of the journal says of one table.
type work struct {
	Table   string `json:"table"`
	Rows    int    `json:"rows"`
	Index   string `json:"index"`
	Step    string `json:"step"`
	Drifted []int  `json:"drifted"`
}

// text says what an event was, or nothing for one that leads up to another.
func (w *work) text(event string) string {
	switch event {
	case "started":
		return "clean-up begun"
	case "committed":
		if text := map[string]string{"fence": "fence put up against new duplicates on ", "unfence": "fence taken away from ", "replace": "the index that the new one replaces dropped from "}[w.Step]; text != "" {
			return text + report.Plain(w.Table)
		}
		if w.Step == "index" {
			return "unique index " + report.Plain(w.Index) + " built on " + report.Plain(w.Table)
		}
		text := report.Count(w.Rows, "row") + " of " + report.Plain(w.Table) + " moved to quarantine"
		if w.Index != "" {
			text += ", unique index " + report.Plain(w.Index) + " built"
		}
		if len(w.Drifted) > 0 {
			text += ", " + report.Count(len(w.Drifted), "group") + " left alone, changed since the scan"
		}
		return text
	case "stopped":
		return "clean-up stopped part-way"
	case "finished":
		return "clean-up finished"
	case "undone":
		return "clean-up taken back"
	}
	return ""
}

func mailsSaid(dir string) (*report.Mails, error) {
	status, err := notify.LoadStatus(dir)
	if absent(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	m := &report.Mails{
		Drafts: len(status.Mails), Sent: status.Totals[notify.Accepted], Unknown: status.Totals[notify.Unknown],
		Failed: status.Totals[notify.Failed], Suppressed: status.Totals[notify.Suppressed],
	}
	for _, mail := range status.Mails {
		at := wholeSeconds(mail.At)
		if mail.State != notify.Accepted || at == "" {
			continue
		}
		if m.FirstSentAt == "" || at < m.FirstSentAt {
			m.FirstSentAt = at
		}
		m.LastSentAt = max(m.LastSentAt, at)
	}
	if m.DraftedAt, err = draftedAt(dir); err != nil {
		return nil, err
	}
	m.Confirmed, err = confirmedSaid(dir)
	return m, err
}

// confirmedSaid is what the provider's record showed, nil where it was not asked.
func confirmedSaid(dir string) (*report.Confirmed, error) {
	raw, err := os.ReadFile(filepath.Join(dir, notify.ConfirmedName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading %s: %w", notify.ConfirmedName, err)
	}
	if err := casefile.CheckSchema(notify.ConfirmedName, raw, notify.ConfirmedSchema); err != nil {
		return nil, err
	}
	var said notify.Original
	if err := json.Unmarshal(raw, &said); err != nil {
		return nil, fmt.Errorf("reading %s: %w", notify.ConfirmedName, err)
	}
	c := &report.Confirmed{Provider: said.Provider, Twice: said.Totals[notify.SentTwice], NotTwice: said.Totals[notify.NotTwice], Unknown: said.Totals[notify.NotKnown]}
	for _, customer := range said.Customers {
		c.At = max(c.At, wholeSeconds(customer.AskedAt))
	}
	return c, nil
}

// draftedAt is when the drafts were made, "" where they are gone.
func draftedAt(dir string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, notify.DraftsName, notify.IndexName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("reading the list of drafts: %w", err)
	}
	var drafts notify.Drafts
	if err := json.Unmarshal(raw, &drafts); err != nil {
		return "", fmt.Errorf("reading the list of drafts: %w", err)
	}
	return wholeSeconds(drafts.CreatedAt), nil
}
