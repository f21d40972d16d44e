package apply

import (
	"encoding/json"
	"errors"
	"slices"

	"twinrow/remediate/journal"
	"twinrow/remediate/plan"
)

// Events of the journal, in the order in which they happen.
const (
	eventStarted        = "started"
	eventCommitting     = "committing"
	eventCommitted      = "committed"
	eventRolledBack     = "rolled-back"
	eventStopped        = "stopped"
	eventRescanned      = "rescanned"
	eventFinished       = "finished"
	eventUndoStarted    = "undo-started"
	eventUndoCommitting = "undo-committing"
	eventUndoCommitted  = "undo-committed"
	eventUndoRolledBack = "undo-rolled-back"
	eventUndone         = "undone"
)

// begunData is what a run is about.
type begunData struct {
	PlanSHA256 string `json:"plan_sha256"`
}

// entryData is what a transaction does to one table.
type entryData struct {
	Entry  string `json:"entry"`
	Table  string `json:"table"`
	Groups []int  `json:"groups"`
	Rows   int    `json:"rows"`
	Index  string `json:"index,omitempty"`
	// Step is the step of an online clean-up, "" where one transaction does all.
	Step string `json:"step,omitempty"`
	// Found is true where a run after a crash found the commit in the database.
	Found bool `json:"found,omitempty"`
	// Drifted are the groups that were left alone.
	Drifted []int `json:"drifted,omitempty"`
}

// log is the journal of one case with what it adds up to.
type log struct {
	*journal.Journal
	// planSHA256 is the plan of the last start, "" before the first.
	planSHA256 string
	// done are the transactions committed since the last undo, by entry.
	done map[string][]entryData
	// pending is a transaction that was being committed at the end, by entry;
	// undoing likewise for an undo.
	pending map[string]entryData
	undoing map[string]bool
	// back counts the rows that undos brought back since the last one that was
	// finished, by entry; taking is a part of an undo that was being committed
	// at the end.
	back   map[string]int
	taking map[string]entryData
	// rescanned is true where what drifted or arrived was looked at again since
	// the last undo: groups that were left alone are no reason to stop then.
	rescanned bool
	// left are the groups that the last run left alone, because they had drifted.
	left []int
	// last is the last event, "" for none.
	last string
	// wrote is called after each record; it may be nil.
	wrote func()
}

// openLog locks the case and reads its journal. peek leaves the file as it is.
func openLog(dir string, peek bool) (*log, error) {
	j, err := journal.Open(dir, peek)
	var damaged *journal.DamagedError
	switch {
	case errors.Is(err, journal.ErrBusy):
		return nil, &plan.Problem{Code: plan.CodeBusy, Message: "another run works on this case", Hint: "wait until it has ended, then run the command again", Err: err}
	case errors.As(err, &damaged):
		return nil, &plan.Problem{Code: plan.CodeTampered, Message: "the journal was changed by hand", Hint: "restore journal.jsonl from a copy; what was done also stands in the quarantine of the database", Err: err}
	case err != nil:
		return nil, diskProblem(err)
	}
	l := newLog(j)
	for _, r := range j.Records() {
		l.add(r.Event, r.Data)
	}
	return l, nil
}

func newLog(j *journal.Journal) *log {
	return &log{Journal: j, done: map[string][]entryData{}, pending: map[string]entryData{}, undoing: map[string]bool{}, back: map[string]int{}, taking: map[string]entryData{}}
}

func diskProblem(err error) error {
	return &plan.Problem{Code: plan.CodeDisk, Message: "the journal of the case cannot be used", Hint: "look at the rights and the free space of the case directory, then run the command again", Err: err}
}

// add takes one event into the sum.
func (l *log) add(event string, data json.RawMessage) {
	var begun begunData
	var entry entryData
	_ = json.Unmarshal(data, &begun) // the journal vouches for its records; other events have other data
	_ = json.Unmarshal(data, &entry)
	l.last = event
	switch event {
	case eventStarted:
		l.planSHA256 = begun.PlanSHA256
	case eventCommitting:
		l.pending[entry.Entry] = entry
	case eventRolledBack:
		delete(l.pending, entry.Entry)
	case eventCommitted:
		delete(l.pending, entry.Entry)
		l.done[entry.Entry] = append(l.done[entry.Entry], entry)
	case eventUndoCommitting:
		l.undoing[entry.Entry] = l.undoing[entry.Entry] || entry.Step != stepIndex
		l.taking[entry.Entry] = entry
	case eventUndoRolledBack:
		delete(l.taking, entry.Entry)
	case eventUndoCommitted:
		delete(l.taking, entry.Entry)
		l.back[entry.Entry] += entry.Rows
	case eventStopped:
		l.left = entry.Drifted
	case eventFinished:
		l.left = nil
	case eventRescanned:
		l.rescanned, l.left = true, nil
	case eventUndone:
		l.rescanned, l.left = false, nil
		clear(l.pending)
		clear(l.done)
		clear(l.undoing)
		clear(l.back)
		clear(l.taking)
	}
}

// write appends a record. Nothing is changed in a database whose record could
// not be written before.
func (l *log) write(event string, data any) error {
	if err := l.Append(event, data); err != nil {
		return diskProblem(err)
	}
	records := l.Records()
	l.add(event, records[len(records)-1].Data)
	if l.wrote != nil {
		l.wrote()
	}
	return nil
}

// begin records the start of a run once.
func (l *log) begin(p *plan.Plan) error {
	started := slices.Contains([]string{eventStarted, eventCommitting, eventCommitted, eventRolledBack, eventStopped, eventRescanned}, l.last)
	if started && l.planSHA256 == p.SHA256 {
		return nil
	}
	return l.write(eventStarted, begunData{p.SHA256})
}

// rows counts what was committed for an entry and not taken back.
func (l *log) rows(entry string) int {
	n := 0
	for _, d := range l.done[entry] {
		n += d.Rows
	}
	return n - l.back[entry]
}

// touched tells the same as open of one entry.
func (l *log) touched(entry string) bool {
	_, pending := l.pending[entry]
	return pending || len(l.done[entry]) > 0
}

// open tells whether something was done, or may have been, and not taken back.
func (l *log) open() bool { return len(l.pending)+len(l.done) > 0 }

// settle finds out from the database what became of a commit that a crash
// interrupted, and writes it down.
func (l *log) settle(entry string, s state) error {
	pending, ok := l.pending[entry]
	if !ok {
		return nil
	}
	pending.Found = true
	landed := len(pending.Groups) == 0 && s.index == indexOurs
	switch pending.Step {
	case stepFence:
		landed = s.fenced
	case stepReplace:
		landed = !s.replacedLeft
	case stepUnfence:
		landed = !s.fenceLeft
	}
	for _, g := range pending.Groups {
		landed = landed || s.kept[g] > 0
	}
	if landed {
		return l.write(eventCommitted, pending)
	}
	return l.write(eventRolledBack, pending)
}

// settleUndo does the same for a part of an undo.
func (l *log) settleUndo(entry string, s state) error {
	taking, ok := l.taking[entry]
	if !ok {
		return nil
	}
	taking.Found = true
	if taking.Step == stepIndex && s.index == indexOurs {
		return l.write(eventUndoRolledBack, taking)
	}
	for _, g := range taking.Groups {
		if s.kept[g] > 0 {
			return l.write(eventUndoRolledBack, taking)
		}
	}
	if len(taking.Groups) == 0 && taking.Rows > 0 && s.rows() > 0 { // one transaction took all of it
		return l.write(eventUndoRolledBack, taking)
	}
	return l.write(eventUndoCommitted, taking)
}
