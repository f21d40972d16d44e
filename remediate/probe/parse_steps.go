package probe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"twinrow/detect/casefile/yaml"
)

const (
	// maxSteps is how many steps a file may have.
	maxSteps = 100
	// maxRate is in requests a second: past that it is a load test.
	maxRate = 2000
	// maxLength is how long a rate may be kept up.
	maxLength = 2 * time.Hour
	// maxPause is how long a redelivery or a recovery may be waited for.
	maxPause = time.Hour
)

// steps reads the steps of a file. What stands at its top, a target and a
// request, serves the steps that have none of their own; expectations there
// are on what all steps did.
func (r *reader) steps(node, fire, whole ast.Node, top *step, s *Spec) {
	if top.fires() {
		r.Fail(fire, "a file with steps says in each step what it fires; here only rounds and transport can stand")
	}
	if len(top.replies)+len(top.latency) > 0 {
		r.Fail(whole, "a file with steps expects responses and latency in its steps; here only rows and logs can stand")
	}
	s.whole, s.rounds = *top, top.stepRounds
	s.steps = nil
	items := r.Items(node)
	if r.Err == nil && (len(items) == 0 || len(items) > maxSteps) {
		r.Fail(node, "from 1 to %d steps are needed", maxSteps)
	}
	for i, item := range items {
		st := r.step(item, i+1, top, s)
		if slices.ContainsFunc(s.steps, func(other *step) bool { return other.name == st.name }) {
			r.Fail(item, "two steps are called %q", st.name)
		}
		s.steps = append(s.steps, st)
	}
	if r.Err == nil && !slices.ContainsFunc(s.steps, (*step).fires) {
		r.Fail(node, "no step fires anything")
	}
}

func (r *reader) step(node ast.Node, number int, top *step, s *Spec) *step {
	st := &step{name: fmt.Sprintf("step %d", number), where: r.Where(node)}
	own, fires := false, false
	r.Fields(node, map[string]func(ast.Node){
		"name":   func(n ast.Node) { st.name = r.Text(n) },
		"target": func(n ast.Node) { st.target = r.source(n) },
		"request": func(n ast.Node) {
			own = true
			r.request(n, &st.call)
		},
		"fire": func(n ast.Node) {
			fires = true
			r.fire(n, st, s)
		},
		"expect": func(n ast.Node) { r.expectations(n, st) },
		"take":   func(n ast.Node) { st.take = r.takes(n) },
		"run": func(n ast.Node) {
			// The shell puts the environment in, so that what is shown is what is run.
			st.command, _ = r.scalarText(n)
		},
		"recover_within": func(n ast.Node) { st.recover = r.Duration(n, time.Millisecond, maxPause) },
	})
	if !own {
		target := st.target
		st.call = top.call
		if target.given() {
			st.target = target
		}
	} else if !st.target.given() {
		st.target = top.target
	}
	if fires && !st.fires() {
		st.copies = defaultCopies
	}
	r.checkStep(node, st, fires, own)
	return st
}

func (r *reader) checkStep(node ast.Node, st *step, fires, own bool) {
	switch {
	case r.Err != nil:
	case fires == (st.command != ""):
		r.Fail(node, "a step has either fire or run")
	case st.command != "" && own:
		r.Fail(node, "a step that runs a command sends no request")
	case st.command != "" && len(st.replies)+len(st.latency) > 0:
		r.Fail(node, "a step that runs a command has no responses; it can expect rows and logs")
	case st.command != "" && len(st.take) > 0:
		r.Fail(node, "a step that runs a command has no answer to take from")
	case fires && st.recover > 0:
		r.Fail(node, "recover_within belongs beside run")
	}
}

// fire reads what a step sends; transport is the whole file's.
func (r *reader) fire(node ast.Node, st *step, s *Spec) {
	var length ast.Node
	r.Fields(node, map[string]func(ast.Node){
		"copies":   func(n ast.Node) { st.copies = int(r.Number(n, 1, MaxAtOnce)) },
		"distinct": func(n ast.Node) { st.distinct = int(r.Number(n, 1, MaxAtOnce)) },
		"rounds":   func(n ast.Node) { st.stepRounds = int(r.Number(n, 1, MaxRounds)) },
		"again_after": func(n ast.Node) {
			st.again, st.againAfter = true, r.Duration(n, 0, maxPause)
		},
		"cut":  func(n ast.Node) { st.cut = r.Bool(n) },
		"rate": func(n ast.Node) { st.rate = r.decimal(n, 0.01, maxRate) },
		"for": func(n ast.Node) {
			length = n
			st.length = r.Duration(n, time.Millisecond, maxLength)
		},
		"transport": func(n ast.Node) {
			s.carrier = r.Text(n)
			if known := []string{TransportAuto, Transport1, Transport2}; !slices.Contains(known, s.carrier) {
				r.Fail(n, "unknown transport %q; there are %s", s.carrier, strings.Join(known, ", "))
			}
		},
	})
	r.checkFire(node, length, st)
}

func (r *reader) checkFire(node, length ast.Node, st *step) {
	kinds := 0
	for _, given := range []bool{st.copies > 0, st.distinct > 0, st.rate > 0} {
		if given {
			kinds++
		}
	}
	switch {
	case r.Err != nil:
	case kinds > 1:
		r.Fail(node, "only one of copies, distinct and rate can stand here")
	case (st.rate > 0) != (length != nil):
		r.Fail(node, "rate and for belong together, as in {rate: 10, for: 10m}")
	case st.rate > 0 && st.messages() < 1:
		r.Fail(node, "that rate sends nothing in that time")
	case (st.cut || st.again) && st.copies == 0:
		r.Fail(node, "again_after and cut belong to copies, as in {copies: 1, again_after: 2s}")
	}
}

// decimal reads a number from low to high.
func (r *reader) decimal(node ast.Node, low, high float64) float64 {
	text := r.Text(node)
	x, err := strconv.ParseFloat(text, 64)
	if r.Err == nil && (err != nil || !(x >= low && x <= high)) {
		r.Fail(node, "a number from %v to %v is needed, not %q", low, high, text)
	}
	return x
}

// scalarText reads a scalar as it stands, the environment's names and all.
func (r *reader) scalarText(node ast.Node) (string, bool) {
	text, ok := yaml.Scalar(r.Plain(node))
	if r.Err == nil && (!ok || strings.TrimSpace(text) == "") {
		r.Fail(node, "plain text is needed here")
	}
	return text, ok
}
