package probe

import (
	"slices"
	"time"

	"twinrow/remediate/probe/expect"
)

// call is a request as the specification has it.
type call struct {
	target  source
	method  string
	headers []header
	body    source
	signing *signing
}

// step is one thing that a round does, and what is expected of it. It sends
// copies, sends distinct messages, keeps up a rate, or runs a command.
type step struct {
	// name is "" for the only step of a file.
	name  string
	where string
	call

	// copies is the number of requests for each key at once.
	copies int
	// distinct is the number of messages at once, each with vars of its own.
	distinct int
	// again sends everything once more after the pause of againAfter.
	again      bool
	againAfter time.Duration
	// cut ends the connection once everything is sent; the same is sent again then.
	cut bool
	// rate is messages a second, each with vars of its own, for the time of length.
	rate   float64
	length time.Duration
	// command is run by sh; recover is how long health may take to come back,
	// 0 where nobody asks.
	command string
	recover time.Duration
	// stepRounds is in how many rounds, from the first, the step takes part.
	stepRounds int

	// take are values of its answers that later steps can use.
	take []taking

	replies []expect.Response
	rows    []rowCheck
	latency []latencyLimit
	logs    []logCheck
}

// fires tells whether the step sends anything.
func (st *step) fires() bool { return st.copies+st.distinct > 0 || st.rate > 0 }

// races tells whether the step sends several requests for one key at once.
func (st *step) races() bool { return st.copies > 1 }

// sequential tells whether the step sends on purpose what cannot race: the same
// one after another, or what differs.
func (st *step) sequential() bool { return st.again || st.cut || st.distinct > 0 || st.rate > 0 }

// expects tells whether anything is expected of the step.
func (st *step) expects() bool {
	return len(st.replies)+len(st.rows)+len(st.latency)+len(st.logs) > 0
}

// messages is the number of messages of a rate.
func (st *step) messages() int { return int(st.rate*st.length.Seconds() + 0.5) }

// together is how many requests the step sends at once.
func (st *step) together(keys int) int { return st.copies*keys + st.distinct }

// size is how many requests the step sends in one round.
func (st *step) size(keys int) int {
	n := st.together(keys) + st.messages()
	if st.again || st.cut {
		n *= 2
	}
	return n
}

// winner is the number of the expectation that counts winners: the first that
// wants any. -1 means that answers with 2xx are winners.
func (st *step) winner() int {
	return slices.IndexFunc(st.replies, func(e expect.Response) bool {
		most, bounded := e.Count.Most()
		return e.Count.Least() > 0 || bounded && most > 0
	})
}

// order puts the steps' rounds right where they were left out, and finds the
// step whose overlap must be proven. Copies default to ten and, where rounds
// can be told apart, to twenty rounds; a rate and a command come once.
func (s *Spec) order() {
	for _, st := range s.steps {
		if !st.fires() && st.command == "" && len(s.steps) == 1 {
			st.copies = defaultCopies
		}
	}
	s.step = s.steps[0]
	for _, st := range s.steps {
		if st.copies > s.copies || !s.fires() && st.fires() {
			s.step = st
		}
	}
}

// settleRounds decides how often each step takes part, once it is known
// whether rounds differ.
func (s *Spec) settleRounds() {
	for _, st := range s.steps {
		s.rounds = max(s.rounds, st.stepRounds)
	}
	if s.rounds == 0 {
		s.rounds = 1
		if s.fresh && !slices.ContainsFunc(s.steps, func(st *step) bool { return !st.races() || st.again || st.cut }) {
			s.rounds = defaultRounds
		}
	}
	for _, st := range s.steps {
		switch {
		case st.stepRounds > 0:
		case st.rate > 0 || st.command != "":
			st.stepRounds = 1
		default:
			st.stepRounds = s.rounds
		}
	}
}

// first is the first step that sends anything.
func (s *Spec) first() *step {
	for _, st := range s.steps {
		if st.fires() {
			return st
		}
	}
	return s.step
}
