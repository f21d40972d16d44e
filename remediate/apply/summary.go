package apply

import (
	"twinrow/remediate/journal"
)

// Summary is what the journal of a case adds up to.
type Summary struct {
	// State is the last thing that was finished: "applied", "stopped" or
	// "undone"; "" where nothing was begun.
	State string
	// Removed counts the rows that are in quarantine now.
	Removed int
	// At is the time of the last record, RFC 3339 in UTC; "" without one.
	At string
}

// Summarise reads the journal in dir without locking it, so that a report can
// be made while a run is at work.
func Summarise(dir string) (Summary, error) {
	records, err := journal.Read(dir)
	if err != nil {
		return Summary{}, diskProblem(err)
	}
	l := &log{done: map[string][]entryData{}, pending: map[string]entryData{}, undoing: map[string]bool{}, back: map[string]int{}, taking: map[string]entryData{}}
	var s Summary
	for _, r := range records {
		l.add(r.Event, r.Data)
		s.At = r.Time
		switch r.Event {
		case eventFinished:
			s.State = "applied"
		case eventStopped:
			s.State = "stopped"
		case eventUndone:
			s.State = "undone"
		}
	}
	for entry := range l.done {
		s.Removed += l.rows(entry)
	}
	return s, nil
}
