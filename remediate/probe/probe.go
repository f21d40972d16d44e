// Package probe owns the question whether a race is gone: it reads what to
// send, sends it at once, looks at the answers and the rows, finds out whether
// the target really worked on several requests at a time, and judges. Its
// parts follow each other: specification, fire, observation, judgement.
//
// It must not know a database driver, the terminal, or where a result is kept:
// rows come through RowSource, progress goes to Progress, and cmd does the rest.
package probe

import (
	"context"
	"errors"
	"io"
	"time"
)

// RowSource runs a person's own SQL and returns the rows as text, nil for
// NULL. It must only read, and each call must see what is committed by then.
type RowSource interface {
	Query(ctx context.Context, sql string, args []string) ([][]*string, error)
	Close() error
}

// Progress hears of every round; done counts attack and control rounds alike.
type Progress interface {
	Step(what string, done, total int)
}

// Deps are what a run needs from outside. The zero value is fine but for
// OpenRows where the specification asks for rows.
type Deps struct {
	// Version of twinrow, for the User-Agent and the result.
	Version string
	// AllowHosts are hosts beside this machine that may be fired at, with or
	// without port.
	AllowHosts []string
	// Env looks an environment variable up, for signing secrets.
	Env func(string) (string, bool)
	// OpenRows opens the source of a row check. It is called once for each
	// source, and the RowSource is closed at the end of the run.
	OpenRows func(ctx context.Context, location string) (RowSource, error)
	// Output takes what the specification's commands print; nil drops it.
	Output io.Writer
	// ParseTime reads a time as targets and databases write it, and tells the
	// step of its clock. It is needed where the specification has server_times.
	ParseTime func(text string) (at time.Time, grain time.Duration, err error)
	// Progress may be nil.
	Progress Progress
	// Now is the clock that templates and signatures see; time.Now where nil.
	Now func() time.Time
}

func (d Deps) filled() Deps {
	if d.Version == "" {
		d.Version = "dev"
	}
	if d.Env == nil {
		d.Env = func(string) (string, bool) { return "", false }
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return d
}

// Run carries a probe out. An error means that there is no verdict: the
// target could not be reached, a safety rule forbids it, a row check cannot be
// read. Where ctx is cancelled Run stops at once and returns the error of ctx
// beside a result of what was seen until then, which is never a pass.
func Run(ctx context.Context, spec *Spec, deps Deps) (*Result, error) {
	r := &runner{
		spec: spec, deps: deps.filled(), id: newUUID(), began: time.Now(), seen: map[uint64]bool{}, found: map[string]bool{},
		latencies: map[*step]*latencies{},
	}
	limited, cancel := context.WithTimeoutCause(ctx, spec.limit, errLimit)
	defer cancel()
	if err := r.open(limited); err != nil {
		return nil, err
	}
	defer r.close()
	err := r.rounds(limited)
	if err == nil {
		err = r.settleLast(limited)
	}
	if err != nil && ctx.Err() == nil && !errors.Is(context.Cause(limited), errLimit) {
		return nil, err
	}
	r.health.check(limited, "after")
	r.readLogs()
	switch {
	case ctx.Err() != nil:
		r.stopped = "interrupted"
		r.doubt("the run was stopped after %d of %d rounds", r.done, spec.rounds)
	case errors.Is(context.Cause(limited), errLimit):
		r.stopped = "limit"
		r.doubt("the run was stopped at its limit of %v, after %d of %d rounds", spec.limit, r.done, spec.rounds)
	}
	return r.result(r.stopped), ctx.Err()
}

// errLimit is the cause of a run's end at its own limit.
var errLimit = errors.New("the run reached its limit")

func asError[T error](err error, target *T) bool { return errors.As(err, target) }
