// Package apply carries a plan out, resumes it, takes it back and verifies it.
//
// It owns every change that twinrow makes to a database. It decides nothing:
// which rows go stands in the plan. Before a change is committed it is written
// down in the journal; whether a commit that a crash interrupted took place is
// asked of the database, which keeps the removed rows and the marked index.
// It must not know a command line or a terminal.
package apply

import (
	"context"
	"time"

	"twinrow/remediate/plan"
)

// Target is a database that a plan can be carried out on. One is made by Open.
type Target interface {
	// Close ends the connection.
	Close() error
	// suits tells whether a plan is for this engine.
	suits(engine string) bool
	// identify refuses a database that is not the case's.
	identify(ctx context.Context, opened *plan.Case) error
	// begin opens the one transaction for a table of the plan, holding the
	// lock that the purpose needs.
	begin(ctx context.Context, w *plan.Work, n int, why purpose) (session, error)
	// together makes all that follows one transaction, until done rolls it back:
	// in a rehearsal each table sees what those before it did.
	together(ctx context.Context) (done func(), err error)
}

// purpose is what a transaction is opened for.
type purpose int

const (
	forApply purpose = iota
	forUndo
	forVerify
	forBatch // a part of an online clean-up: rows are locked, not the table
	forBack  // a part of its undo
	forTrial // the undo of a rehearsal, in the transaction of what it takes back
)

// session is one open transaction over one table of a plan.
type session interface {
	// state reads what this case did here before.
	state(ctx context.Context) (state, error)
	// load prepares the rows to work on. With all it takes every row of the
	// plan, else those that are not in quarantine yet.
	load(ctx context.Context, all bool) error
	// drift lists the loaded rows that are not as the evidence has them.
	drift(ctx context.Context) ([]Drift, error)
	// referred lists loaded groups to whose rows others refer otherwise than
	// was foretold. After forgetting them it is to be asked again.
	referred(ctx context.Context) ([]Drift, error)
	// forget takes groups out of the work.
	forget(ctx context.Context, groups []int) error
	// clean copies and deletes the loaded rows, and fails unless exactly want
	// rows went and nothing else changed.
	clean(ctx context.Context, want int) (map[string]plan.Effect, error)
	// buildIndex builds the plan's index.
	buildIndex(ctx context.Context) error
	// takeBack drops the index if this case built it and puts back the rows in
	// quarantine, exactly; it returns how many.
	takeBack(ctx context.Context, dropIndex bool) (int, error)
	// dropIndex drops the index that this case built, and builds again what it
	// replaced; the rest stays as it is.
	dropIndex(ctx context.Context) error
	// overtaken makes the loaded survivors expected as a case inside this one
	// left them: changed, or gone.
	overtaken(ctx context.Context, later *plan.Work) error
	// duplicates counts the keys that several rows have, standing the groups of
	// which two rows or more are there.
	duplicates(ctx context.Context) (int, error)
	standing(ctx context.Context, held []plan.Held) (int, error)
	// checks runs the checks of verify over the loaded rows.
	checks(ctx context.Context) ([]Check, error)
	// commit makes the transaction durable. unknown is true where it may have
	// been and the connection went away.
	commit() (unknown bool, err error)
	// rollback ends the transaction unless it was committed.
	rollback()
}

// state is what a case did to a table before.
type state struct {
	// kept counts this case's rows in quarantine, by group.
	kept map[int]int
	// index is there.
	index indexState
	// fenced is true where an online clean-up's fence is up; fenceLeft and
	// buildLeft where anything of a fence or of an unfinished index is there.
	fenced, fenceLeft, buildLeft bool
	// replacedLeft is true where the new index stands, and the one that it
	// replaces is there still.
	replacedLeft bool
}

func (s state) rows() int {
	n := 0
	for _, k := range s.kept {
		n += k
	}
	return n
}

// indexState is how an index of the planned name stands.
type indexState int

const (
	indexNone      indexState = iota // there is none
	indexOurs                        // this case built it
	indexOther                       // it is sound, and somebody else built it
	indexWrong                       // it is not what the plan wants
	indexInert                       // it is INVALID and enforces nothing: its build met duplicates
	indexEnforcing                   // it is INVALID and rejects writes all the same
)

// Drift is a row that is no longer as the evidence has it.
type Drift struct {
	// Group is the group's number in the evidence.
	Group int `json:"group"`
	// Row is the row's id as JSON.
	Row string `json:"row"`
	// State is "changed", "gone", "several" where the id is not unique, or
	// "referred to differently" where other rows refer to it than at the scan.
	State string `json:"state"`
}

// Progress is told what a run does, as it does it. It may be nil.
type Progress interface {
	// Step says what is being done to which table, as "deleting 4 rows".
	Step(table, what string)
}

// Options say how to carry a plan out.
type Options struct {
	// Allow names the hazards that are consented to, as --allow has them.
	Allow []string
	// DryRun does everything and rolls it back.
	DryRun bool
	// LockWait bounds how long a run tries to get its locks, 30 s where it is 0.
	LockWait time.Duration
	// Until stops after a step: one of Untils, "" for the end.
	Until string
	// Batch is how many rows one transaction of an online clean-up removes at
	// most, 1,000 where it is 0. Pause is the time between two of them.
	Batch int
	Pause time.Duration
	// MaxLag makes an online clean-up wait while a standby is further behind; 0
	// does not look.
	MaxLag time.Duration
	// Progress is told of each step.
	Progress Progress
	// Agree is asked, before the first change, whether what triggers will write
	// is agreed to; an error ends the run. nil agrees.
	Agree func([]Written) error
	// recorded is called after each record of the journal; nil but in tests.
	recorded func()
}

// Steps after which a run can be told to stop.
const (
	UntilFence = "fence"
	UntilClean = "clean"
	UntilIndex = "index"
)

// Untils are the names that Options.Until takes.
var Untils = []string{UntilFence, UntilClean, UntilIndex}

// Counter is a Progress that also counts rows, as progress.Line does.
type Counter interface {
	// Start begins a piece of work of total rows.
	Start(label string, total int64)
	// Add counts rows done.
	Add(rows int64)
	// Done ends the piece.
	Done()
}

func (o Options) start(table string, rows int) {
	if c, ok := o.Progress.(Counter); ok {
		c.Start(table, int64(rows))
	}
}

func (o Options) add(rows int) {
	if c, ok := o.Progress.(Counter); ok {
		c.Add(int64(rows))
	}
}

func (o Options) done() {
	if c, ok := o.Progress.(Counter); ok {
		c.Done()
	}
}

func (o Options) step(table, what string) {
	if o.Progress != nil {
		o.Progress.Step(table, what)
	}
}

// Result is what a run did, or in a dry run would do.
type Result struct {
	DryRun bool `json:"dry_run"`
	// Already is true where there was nothing left to do.
	Already bool          `json:"already"`
	Tables  []TableResult `json:"tables"`
}

// TableResult is what was done to one table.
type TableResult struct {
	Name  string `json:"name"`
	Table string `json:"table"`
	// Set is true where surplus rows are not removed but get new values.
	Set bool `json:"set,omitempty"`
	// Groups and Rows count what this run cleaned or put back.
	Groups int `json:"groups"`
	Rows   int `json:"rows"`
	// Index is the index that this run built or dropped, "" for none.
	Index string `json:"index,omitempty"`
	// LongestLockUS is the longest time, in microseconds, for which an online
	// run kept rows locked; 0 where it was atomic.
	LongestLockUS int64 `json:"longest_lock_us,omitempty"`
	// Healed tells of an INVALID index that was dropped to be built again.
	Healed string `json:"healed,omitempty"`
	// Already is true where nothing was left to do.
	Already bool `json:"already"`
	// Held counts the groups that the plan left alone.
	Held int `json:"held"`
	// Arrived counts the keys of which new duplicates arrived since the scan:
	// the index waits for them.
	Arrived int `json:"arrived,omitempty"`
	// Drifted are the rows that kept their group from being cleaned.
	Drifted []Drift `json:"drifted"`
	// Late are rows that came to name a removed one while an online run was at
	// work, by references that no constraint keeps.
	Late []LateRows `json:"late,omitempty"`
	// ByTriggers counts the rows that triggers and rules added, by table; an undo
	// leaves them.
	ByTriggers map[string]int64 `json:"by_triggers,omitempty"`
	// cleaned are the groups, in the order in which they were done.
	cleaned []int
	// Effects are the changes counted before the commit, by table; twinrow's
	// own quarantine is not among them.
	Effects map[string]plan.Effect `json:"effects"`
}

// LateRows counts the rows of a table that name rows which are gone.
type LateRows struct {
	Table string `json:"table"`
	Rows  int    `json:"rows"`
}

// Check is one thing that verify looked at.
type Check struct {
	Table  string `json:"table"`
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Report is the outcome of Verify.
type Report struct {
	Checks []Check `json:"checks"`
}

// OK tells whether every check holds.
func (r *Report) OK() bool {
	for _, c := range r.Checks {
		if !c.OK {
			return false
		}
	}
	return true
}

// Open connects to a database for writing. engine is "postgres", "sqlite" or
// "d1"; where is a connection string for Postgres, and a path to a file that
// exists for the others. No part of a connection string is ever in an error.
func Open(ctx context.Context, engine, where string) (Target, error) {
	switch engine {
	case "postgres":
		return openPostgres(ctx, where)
	case "sqlite", "d1":
		return openSQLite(where, engine == "d1")
	}
	return nil, unsupported(engine)
}

func unsupported(engine string) error {
	return &plan.Problem{Code: plan.CodeUnsupported, Message: "a case of " + engine + " has no database that could be changed", Hint: "scan the database itself, then plan and apply that case"}
}
