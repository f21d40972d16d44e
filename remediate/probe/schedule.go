package probe

import "twinrow/remediate/probe/internal/gate"

// kind is where a probe's control rounds take requests that differ from.
type kind int

const (
	// controlNone: nothing tells requests apart, so parallelism stays unknown.
	controlNone kind = iota
	// controlFresh: every request gets vars of its own.
	controlFresh
	// controlGiven: the specification's control says how.
	controlGiven
	// controlKeys: one request for each of the probe's own keys, which the
	// attack uses too; so all of them come after it.
	controlKeys
)

const (
	minControls, maxControls = 5, 10
	// solosPerControl single requests go before each control round.
	solosPerControl = 3
	// scouts is how often each kind of holding back is tried, at most.
	scouts = 3
)

func (s *Spec) controlKind() kind {
	switch {
	case !s.races():
		return controlNone
	case s.control != nil:
		return controlGiven
	case s.fresh:
		return controlFresh
	case len(s.keys) > 1:
		return controlKeys
	}
	return controlNone
}

// controls is the number of control rounds.
func (s *Spec) controls() int {
	if s.controlKind() == controlNone {
		return 0
	}
	if s.times != nil && s.controlKind() != controlKeys {
		return timesControls
	}
	return min(max(s.rounds, minControls), maxControls)
}

// solos is the number of single requests before each control round; of many
// rounds one is enough.
func (s *Spec) solos() int {
	if s.times != nil {
		return 1
	}
	return solosPerControl
}

// firstControl is the number that templates take for the round of the first
// control request: one that no attack has.
func (s *Spec) firstControl() int {
	if s.until > 0 {
		return MaxRounds + 1
	}
	return s.rounds + 1
}

// controlSize is the number of requests of a control round: as many as an
// attack sends, or as many as there are keys that differ.
func (s *Spec) controlSize() int {
	switch {
	case s.controlKind() == controlKeys:
		return len(s.keys)
	case s.control != nil && len(s.control.vars) == 0:
		return min(s.atOnce(), len(s.control.keys))
	}
	return s.atOnce()
}

// moreControls is how many control rounds may be added where the first leave
// parallelism open.
func (s *Spec) moreControls() int { return min(s.controls(), maxControls) }

// total is the number of requests of the whole run, at most.
func (s *Spec) total() int {
	singles := 0
	if s.controls() > 0 {
		singles = solosPerControl * (1 + 2*scouts*int(gate.Holds-1))
	}
	controls := singles + (s.controls()+s.moreControls())*(s.controlSize()+s.solos())
	logins := 0
	if s.login != nil {
		logins = s.login.users
	}
	return logins + s.attackRequests() + controls*(1+len(s.takers(s.step)))
}

// schedule returns the order of rounds, true for an attack. A control round
// comes first, so that early answers are known before the attack, and the
// others are spread between the attacks; those that share the attack's keys
// come last.
func (s *Spec) schedule() []bool {
	controls := s.controls()
	var order []bool
	if s.controlKind() == controlKeys {
		for range s.rounds {
			order = append(order, true)
		}
		return append(order, make([]bool, controls)...)
	}
	done := 0
	for round := range s.rounds {
		for due := 1 + round*controls/s.rounds; done < min(due, controls); done++ {
			order = append(order, false)
		}
		order = append(order, true)
	}
	return append(order, make([]bool, controls-done)...)
}
