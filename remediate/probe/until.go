package probe

import (
	"time"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe/overlap"
)

// UntilWindow has the run fire as many rounds as it takes to catch a
// check-to-insert window with 99.9 % probability, by the times that the target
// tells. It takes the place of a number of rounds.
func (s *Spec) UntilWindow(window time.Duration) error {
	wrong := ""
	switch {
	case window < time.Microsecond || window > time.Minute:
		return &casefile.Problem{Code: casefile.CodeUsage, Message: "--until-window is a time from 1µs to 1m", Hint: "as in --until-window 1ms"}
	case s.times == nil:
		wrong = "it needs the target's own times: say by server_times, or --server-times for a URL, where they are"
	case len(s.steps) > 1 || !s.races():
		wrong = "it needs one step that fires several copies"
	case !s.fresh || s.controlKind() == controlNone:
		wrong = "it needs rounds that can be told apart: let vars, or the body, use .UUID or the time"
	}
	if wrong != "" {
		return &casefile.Problem{Code: casefile.CodeBadInput, Message: "--until-window cannot be kept: " + wrong, Hint: "see server_times in the README"}
	}
	s.until, s.rounds, s.stepRounds = window, 1, 1
	return nil
}

// untilRounds is how many attack rounds catch the window, once the control
// rounds are over. Where there is no such number, or too large a one, the run
// goes on with what is allowed, and says why it is no pass.
func (r *runner) untilRounds() int {
	s := r.spec
	allowed := min(MaxRounds, (MaxRequests-r.control.used)/s.atOnce())
	if problem := r.times().Problem(); problem != "" {
		r.doubt("how many rounds catch a window of %v cannot be worked out: %s", s.until, problem)
		return 1
	}
	gaps := r.times().Gaps()
	n, ok := overlap.Rounds(gaps, s.until)
	switch {
	case len(gaps) == 0:
		r.doubt("how many rounds catch a window of %v cannot be worked out: the target does not tell when it began", s.until)
		return 1
	case !ok:
		r.doubt("no number of rounds catches a window of %v: the second request never began within it, at best %s after the first; try --transport http2, or fewer copies", s.until, shortTime(gaps[0]))
		return 1
	case n > allowed:
		r.doubt("catching a window of %v takes %d rounds; %d are allowed", s.until, n, allowed)
		return 1
	}
	return n
}

// withRounds is the specification with the rounds found out. The caller's own
// stays as it was.
func (s *Spec) withRounds(n int) *Spec {
	whole, only := *s, *s.step
	only.stepRounds = n
	whole.step, whole.steps, whole.rounds = &only, []*step{&only}, n
	return &whole
}
