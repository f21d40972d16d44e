package apply

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"twinrow/remediate/plan"
)

// defaultLockWait is how long a run tries to get its locks where nothing else is said.
const defaultLockWait = 30 * time.Second

// lockError says that a lock did not come in time; the transaction is over.
type lockError struct {
	err  error
	hint string
}

func (e *lockError) Error() string { return "a lock did not come in time: " + e.err.Error() }
func (e *lockError) Unwrap() error { return e.err }

// retryLocks runs a whole transaction again while it fails for a lock, with
// growing pauses of random length, and gives up when the time is over.
func retryLocks(ctx context.Context, wait time.Duration, run func() error) error {
	if wait == 0 {
		wait = defaultLockWait
	}
	deadline := time.Now().Add(wait)
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := run()
		var locked *lockError
		if !errors.As(err, &locked) {
			return err
		}
		if time.Now().Add(pause).After(deadline) {
			return &plan.Problem{Code: plan.CodeStopped, Message: "another session holds a lock that the clean-up needs, and did not let go of it in time; nothing is half-done", Hint: locked.hint + "; then run the same command again", Err: locked.err}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}
