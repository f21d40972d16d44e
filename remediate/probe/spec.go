package probe

import (
	"net/url"
	"time"

	"twinrow/remediate/probe/expect"
	"twinrow/remediate/probe/sign"
)

// Bounds of a probe. They keep a slip of the finger from becoming a load test.
const (
	// MaxAtOnce is how many requests one round may send.
	MaxAtOnce = 2000
	// MaxRounds is how many attack rounds there may be.
	MaxRounds = 10_000
	// MaxRequests is how many requests a whole run may send, control rounds included.
	MaxRequests = 200_000
	// MaxBody is the length in bytes of one request's body.
	MaxBody = 1 << 20
	// maxSentAtOnce is the length in bytes of all bodies of a round.
	maxSentAtOnce = 64 << 20
	// defaultCopies and defaultRounds are used where fire does not say. More
	// than one round only makes sense where rounds differ.
	defaultCopies, defaultRounds = 10, 20
	defaultTimeout, defaultLimit = 10 * time.Second, 15 * time.Minute
	defaultSettle, defaultWithin = time.Second, 10 * time.Second
)

// Transports of fire.
const (
	TransportAuto = "auto"
	Transport1    = "http1"
	Transport2    = "http2"
)

// Spec is a probe, read and checked. Make one with ParseSpec or FromFlags.
type Spec struct {
	// Name and Environment are the user's own words, for reports and file names.
	Name, Environment string

	vars    []variable
	keys    []string
	carrier string
	health  *health
	timeout time.Duration
	limit   time.Duration
	tls     tlsFiles
	control *control
	times   *serverTimes // nil where the target tells no times
	// until is the window that the rounds must be enough for, 0 where the
	// number of rounds is given.
	until    time.Duration
	login    *login
	mark     string // name of a header that carries the run's id, or ""
	fallback bool   // nothing was expected by the user

	// steps are what is done in each round, in order. Without steps in the
	// file there is one.
	steps []*step
	// The embedded step is the one whose overlap must be proven: the first
	// that sends most at once. Control rounds imitate it.
	*step
	// rounds is how often the steps are gone through.
	rounds int
	// whole are expectations on what all steps together did.
	whole step

	// sessions are those of the users that log in, stand-ins before it; there
	// is one at least, an empty one without a login.
	sessions []session
	// base is the scheme and host of every request.
	base *url.URL
	// fresh is true where rounds differ, so that their rows can be told apart.
	fresh bool
}

type header struct {
	name  string
	value source
}

// signing is how requests are signed; the secret itself is read when the probe runs.
type signing struct {
	config sign.Config
	// fresh signs anew, with a new time-stamp, whenever the same is sent again.
	fresh                 bool
	secretEnv, secretFile string
	where                 string
}

// rowCheck is an expectation on rows.
type rowCheck struct {
	name string
	// location finds the database and may hold a password; it is byCommand
	// where the text of sql is a command that prints the number.
	location string
	sql      string
	// shown is the SQL, or the command, with the environment's names in it, not
	// the values.
	shown  string
	args   []source
	count  expect.Count
	perRun bool
	settle time.Duration
	within time.Duration
	where  string
}

// latencyLimit bounds one percentile: p50, p95, p99 or max.
type latencyLimit struct {
	name string
	most time.Duration
}

// health is an endpoint that is asked before, during and after.
type health struct {
	url      string
	where    string
	statuses expect.Statuses
	json     []expect.Want
}

type tlsFiles struct{ ca, serverName string }

// control says how requests of control rounds differ, where they would not by themselves.
type control struct {
	vars []variable
	keys []string
}

// Copies is the number of requests for each key at once.
func (s *Spec) Copies() int { return s.copies }

// Rounds is the number of attack rounds.
func (s *Spec) Rounds() int { return s.rounds }

// atOnce is the number of requests that the step under proof sends at once.
func (s *Spec) atOnce() int { return max(1, s.copies*max(1, len(s.keys))) }

// most is the number of requests that any step sends at once.
func (s *Spec) most() int {
	n := 1
	for _, st := range s.steps {
		n = max(n, st.together(len(s.allKeys())))
	}
	return n
}

// attackRequests is the number of requests of all steps in all rounds.
func (s *Spec) attackRequests() int {
	n := 0
	for _, st := range s.steps {
		n += st.stepRounds * st.size(len(s.allKeys()))
	}
	return n
}

// allKeys are the keys; a probe without keys has one, the empty one.
func (s *Spec) allKeys() []string {
	if len(s.keys) == 0 {
		return []string{""}
	}
	return s.keys
}
