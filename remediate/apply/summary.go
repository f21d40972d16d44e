package apply

import (
	"twinrow/remediate/journal"
)

// Summary is what the journal of a case adds up to.
type Summary struct {
	// State is the last thing that was finished: "applied", "stopped" or
	// "undone"; "" where nothing was begun.
	State string
	// Open tells whether something was done, or may have been, and not taken back.
	Open bool
	// Removed counts the rows that are in quarantine now.
	Removed int
	// At is the time of the last record, RFC 3339 in UTC; "" without one.
	At string
}

// Summarise reads the journal in dir without locking it, so that a report can
// be made while a run is at work.
func Summarise(dir string) (Summary, error) {
	var s Summary
	l, err := readLog(dir, func(r journal.Record) {
		s.At = r.Time
		switch r.Event {
		case eventFinished:
			s.State = "applied"
		case eventStopped:
			s.State = "stopped"
		case eventUndone:
			s.State = "undone"
		}
	})
	if err != nil {
		return Summary{}, err
	}
	s.Open = l.open()
	for entry := range l.done {
		s.Removed += l.rows(entry)
	}
	return s, nil
}

// readLog adds the journal in dir up without locking it.
func readLog(dir string, visit func(journal.Record)) (*log, error) {
	records, err := journal.Read(dir)
	if err != nil {
		return nil, diskProblem(err)
	}
	l := newLog(nil)
	for _, r := range records {
		l.add(r.Event, r.Data)
		visit(r)
	}
	return l, nil
}
