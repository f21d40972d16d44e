package probe

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

const (
	// recoverEvery is the pause between two looks at the health of a target
	// that is to recover.
	recoverEvery = 100 * time.Millisecond
	// wellFor is how many looks in a row must be well: a target that was just
	// killed may answer once more.
	wellFor = 3
)

// commandRun is one run of a step's command.
type commandRun struct {
	step   *step
	round  int
	status int
	// failed says why there is no status, or "".
	failed string
	took   time.Duration
	// recovered is the time from the command's end until the target was well;
	// negative where it was not in time.
	recovered time.Duration
}

// command runs a step's command and waits until the target is well again.
func (r *runner) command(ctx context.Context, st *step, number int, cells []cell) error {
	watches, err := r.watchCells(ctx, st.rows, cells)
	if err != nil {
		return err
	}
	c := commandRun{step: st, round: number, recovered: -1}
	began := time.Now()
	run := shell(ctx, st.command)
	run.Stdout, run.Stderr = r.deps.Output, r.deps.Output
	// A command may leave something running that keeps the output open.
	run.WaitDelay = time.Second
	err = run.Run()
	c.took = time.Since(began)
	switch exit, ok := errors.AsType[*exec.ExitError](err); {
	case ctx.Err() != nil:
		return ctx.Err()
	case ok:
		c.status = exit.ExitCode()
		r.doubt("%s: the command ended with status %d", st.name, c.status)
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		c.failed = "it could not be run"
		r.doubt("%s: the command could not be run", st.name)
	}
	if st.recover > 0 {
		c.recovered = r.health.recovered(ctx, st.recover)
	}
	r.commands = append(r.commands, c)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.log = append(r.log, attack{step: st, number: number, at: began.Sub(r.began), watches: watches})
	return r.settleStep(ctx, watches, nil)
}

// recovered looks until the endpoint is well several times in a row, for at
// most the time given, and returns when that began, or a negative time.
func (l *healthLog) recovered(ctx context.Context, within time.Duration) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, within+wellFor*recoverEvery)
	defer cancel()
	began := time.Now()
	since, well := time.Duration(0), 0
	for ctx.Err() == nil {
		at := time.Since(began)
		status, reason := l.look(ctx)
		if well == 0 {
			since = at
		}
		if well++; reason != "" {
			well = 0
		}
		if well == wellFor && since <= within {
			l.Checks = append(l.Checks, HealthCheck{When: "recovered", Status: status, OK: true})
			return since
		}
		if well == wellFor || well == 0 && time.Since(began) > within {
			break
		}
		_ = pause(ctx, recoverEvery)
	}
	return -1
}

func (r *runner) judgeRecovery(j *judgement, c *commandRun) Expectation {
	out := Expectation{Name: c.step.name, Want: "well again within " + c.step.recover.String(), Got: "not well by then"}
	if c.recovered >= 0 {
		out.OK, out.Got = true, "after "+shortTime(c.recovered)
		return out
	}
	j.wrongs = append(j.wrongs, fmt.Sprintf("%s: the target was not well again within %v", c.step.name, c.step.recover))
	return out
}
