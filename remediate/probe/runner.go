package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe/internal/gate"
	"twinrow/remediate/probe/internal/h1"
	"twinrow/remediate/probe/internal/h2"
	"twinrow/remediate/probe/sign"
)

const (
	// bodyLimit is what is kept of one answer's body at most, and
	// bodiesLimit of all answers of a round together.
	bodyLimit, bodiesLimit = 1 << 20, 64 << 20
	// patience is after how many releases in a row without any answer a run is
	// given up: a target that hangs would else hold it to its limit.
	patience = 8
)

// runner is one run under way.
type runner struct {
	spec      *Spec
	deps      Deps
	target    gate.Target
	transport gate.Transport
	client    *client
	// signers are those of the specification's requests.
	signers map[*signing]*sign.Signer
	sources map[string]RowSource
	health  *healthLog
	hold    gate.Hold

	// silent counts the releases in a row that nobody answered, lastFault is
	// why the last answer that is missing is.
	silent    int
	lastFault string
	// virtual runs ahead of the clock where two rounds would else see the
	// same time; seen are digests of the requests
	// made so far.
	virtual time.Time
	seen    map[uint64]bool

	// id marks the requests of this run.
	id    string
	began time.Time
	// stopped is why the run ended before its end, or "".
	stopped string
	// done counts the rounds that were gone through.
	done       int
	log        []attack
	commands   []commandRun
	control    controlLog
	watches    []*watch
	logWatches []*logWatch
	latencies  map[*step]*latencies
	made       madeRows
	// found are the JSON paths that some answer had.
	found  map[string]bool
	doubts []string
}

func (r *runner) doubt(format string, args ...any) {
	r.doubts = append(r.doubts, fmt.Sprintf(format, args...))
}

// open makes everything ready that can fail before anything is fired.
func (r *runner) open(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	address, err := admit(ctx, r.spec.base, r.deps.AllowHosts)
	if err != nil {
		return err
	}
	if r.health, err = newHealthLog(ctx, r.spec, r.deps); err != nil {
		return err
	}
	if err := r.openSigners(); err != nil {
		return err
	}
	if err := r.openRows(ctx); err != nil {
		return err
	}
	if err := r.openTimes(ctx); err != nil {
		return err
	}
	if err := r.connect(ctx, address); err != nil {
		return err
	}
	r.hold = gate.HoldBody
	if k := r.spec.controlKind(); k == controlNone || k == controlKeys {
		// Nothing can be tried before the attack, so nothing is left to luck:
		// no server answers before it has the header.
		r.hold = gate.HoldHead
	}
	if err := r.watchLogs(); err != nil {
		return err
	}
	r.health.check(ctx, "before")
	return r.logIn(ctx)
}

func (r *runner) close() {
	if r.client != nil {
		r.client.close()
	}
	if r.transport != nil {
		_ = r.transport.Close()
	}
	for _, source := range r.sources {
		_ = source.Close()
	}
	if r.health != nil {
		r.health.close()
	}
}

func (r *runner) openSigners() error {
	r.signers = map[*signing]*sign.Signer{}
	for _, c := range r.spec.calls() {
		if c.signing == nil || r.signers[c.signing] != nil {
			continue
		}
		secret, err := r.secret(c.signing)
		if err != nil {
			return err
		}
		if r.signers[c.signing], err = sign.New(c.signing.config, secret); err != nil {
			return problem(c.signing.where, "%v", err)
		}
	}
	return nil
}

func (r *runner) secret(g *signing) ([]byte, error) {
	if g.secretEnv != "" {
		value, ok := r.deps.Env(g.secretEnv)
		if !ok || value == "" {
			return nil, &casefile.Problem{Code: casefile.CodeBadInput, Message: "the signing secret is missing: the environment variable " + g.secretEnv + " is not set",
				Hint: "set it for this command alone"}
		}
		return []byte(value), nil
	}
	content, err := os.ReadFile(g.secretFile)
	if err != nil {
		return nil, &casefile.Problem{Code: casefile.CodeNotFound, Message: "reading the signing secret", Hint: "secret_file is a file that can be read", Err: err}
	}
	return bytes.TrimRight(content, "\r\n"), nil
}

func (r *runner) openRows(ctx context.Context) error {
	r.sources = map[string]RowSource{}
	var checks []rowCheck
	for _, st := range r.spec.judged() {
		checks = append(checks, st.rows...)
	}
	for i := range checks {
		location := checks[i].location
		if r.sources[location] != nil {
			continue
		}
		if location == byCommand {
			r.sources[location] = commandRows{r.deps.Output}
			continue
		}
		if r.deps.OpenRows == nil {
			return &casefile.Problem{Code: casefile.CodeUnsupported, Message: "rows cannot be read here"}
		}
		source, err := r.deps.OpenRows(ctx, location)
		if err != nil {
			return err
		}
		r.sources[location] = source
	}
	return nil
}

// connect settles on a transport and measures the way to the target.
func (r *runner) connect(ctx context.Context, address string) error {
	config, err := r.spec.tls.config(r.spec.base)
	if err != nil {
		return err
	}
	r.target = gate.Target{Address: address, TLS: config, Timeout: r.spec.timeout,
		BodyLimit: min(bodyLimit, bodiesLimit/r.spec.most())}
	host := r.spec.base.Host
	second, err := r.speaksSecond(ctx)
	if err != nil {
		return dialProblem(host, err)
	}
	r.transport = h1.New(r.target)
	if second {
		r.transport = h2.New(r.target)
	}
	r.client = newClient(r.target, second)
	r.control.loopback = r.spec.Loopback(ctx)
	if r.control.trips, err = gate.Trips(ctx, r.target); err != nil {
		return dialProblem(host, err)
	}
	return nil
}

// speaksSecond tells whether to speak HTTP/2.
func (r *runner) speaksSecond(ctx context.Context) (bool, error) {
	switch {
	case r.spec.carrier == Transport1 || r.spec.carrier == TransportAuto && r.target.TLS == nil:
		return false, nil
	case r.spec.carrier == Transport2:
		return true, nil
	}
	conn, err := gate.Dial(ctx, r.target, "h2", "http/1.1")
	if err != nil {
		return false, err
	}
	return conn.Proto == "h2", conn.Close()
}

// rounds fires attack and control rounds in the order of the schedule. Where
// a window decides how many, the control rounds come first.
func (r *runner) rounds(ctx context.Context) error {
	if err := r.watchRun(ctx); err != nil {
		return err
	}
	if err := r.scout(ctx); err != nil {
		return r.explain(err)
	}
	order := r.spec.schedule()
	if r.spec.until > 0 {
		if goOn, err := r.goThrough(ctx, make([]bool, r.spec.controls())); !goOn || err != nil {
			return err
		}
		r.spec = r.spec.withRounds(r.untilRounds())
		order = slices.Repeat([]bool{true}, r.spec.rounds)
	}
	if goOn, err := r.goThrough(ctx, order); !goOn || err != nil {
		return err
	}
	if err := r.moreControls(ctx); err != nil {
		return r.explain(err)
	}
	return nil
}

// goThrough fires one round after another, true for an attack. It tells
// whether the run goes on: a target that never answers ends it.
func (r *runner) goThrough(ctx context.Context, order []bool) (goOn bool, err error) {
	for i, isAttack := range order {
		step := "control round"
		if isAttack {
			step = "round"
			err = r.round(ctx, r.done+1)
		} else {
			err = r.controlRound(ctx)
		}
		if err != nil {
			return false, r.explain(err)
		}
		if r.deps.Progress != nil {
			r.deps.Progress.Step(step, i+1, len(order))
		}
		if r.silent >= patience {
			r.stopped = "no answers"
			r.doubt("the run was given up after %d releases without a single answer", r.silent)
			return false, nil
		}
		r.health.during(ctx)
	}
	return true, nil
}

// round goes through the steps that take part in it.
func (r *runner) round(ctx context.Context, number int) error {
	cells, err := r.roundCells(number)
	if err != nil {
		return err
	}
	whole, err := r.watchCells(ctx, r.spec.whole.rows, cells)
	if err != nil {
		return err
	}
	for _, st := range r.spec.steps {
		switch {
		case st.stepRounds < number:
			continue
		case st.command != "":
			err = r.command(ctx, st, number, cells)
		case st.rate > 0:
			err = r.keepRate(ctx, st, number)
		default:
			err = r.attack(ctx, st, number, cells)
		}
		if err != nil {
			r.watches = append(r.watches, whole...)
			return err
		}
		if len(r.spec.steps) > 1 {
			r.health.during(ctx)
		}
	}
	r.done++
	r.watches = append(r.watches, whole...)
	if r.spec.fresh { // later rounds change nothing of what is counted
		return nil
	}
	return r.settle(ctx, whole)
}

// fire releases requests and notices when nobody answers.
func (r *runner) fire(ctx context.Context, requests []gate.Request) (*gate.Shot, error) {
	shot, err := r.transport.Fire(ctx, requests, r.hold)
	if shot == nil {
		return nil, err
	}
	r.silent++
	for i := range shot.Answers {
		if fault, ok := errors.AsType[*gate.Fault](shot.Answers[i].Err); ok {
			r.lastFault = fault.Kind
		} else {
			r.silent = 0
		}
	}
	return shot, err
}

// explain names the target where the network failed. After a whole round the
// run only ends early: what was seen stands, and is doubtful.
func (r *runner) explain(err error) error {
	var fault *gate.Fault
	switch {
	case errors.Is(err, errUntaken):
		return nil // the doubt says it all
	case errors.Is(err, h2.ErrWindow):
		return &casefile.Problem{Code: casefile.CodeUnsupported, Message: "the body is larger than the server's HTTP/2 window", Hint: "fire with transport: http1"}
	case errors.Is(err, h2.ErrStreams):
		return &casefile.Problem{Code: casefile.CodeConnection, Message: "the server allows no HTTP/2 stream", Hint: "is it ending, or too busy? fire with transport: http1, or again later"}
	case !errors.As(err, &fault) || fault.Kind == gate.KindStopped:
		return err
	case len(r.log) == 0:
		return dialProblem(r.spec.base.Host, err)
	}
	r.stopped = "connection lost"
	r.doubt("the connection was lost after %d of %d rounds (%s)", r.done, r.spec.rounds, fault.Kind)
	return nil
}
