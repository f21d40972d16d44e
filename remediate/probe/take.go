package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/goccy/go-yaml/ast"

	"twinrow/remediate/probe/expect"
	"twinrow/remediate/probe/internal/gate"
)

// taking names a value of an answer for the templates of what comes later.
type taking struct {
	name string
	path expect.Path
}

// standIn is a value that is not known before the probe runs.
const standIn = "taken while it runs"

// errUntaken ends a run: a step's answer lacks what later steps need.
var errUntaken = errors.New("a value was not there to be taken")

// takes reads names and the JSON paths of their values.
func (r *reader) takes(node ast.Node) []taking {
	var all []taking
	for _, p := range r.Pairs(node) {
		r.checkVariable(p)
		path, err := expect.ParsePath(r.Text(p.Value))
		if err != nil {
			r.Fail(p.Value, "that is no path: %v", err)
		}
		all = append(all, taking{p.Key, path})
	}
	return all
}

// checkTakes refuses a name with two meanings, and a step of many messages
// whose values nobody could tell apart.
func (s *Spec) checkTakes(name string) error {
	known := map[string]bool{}
	for i := range s.vars {
		known[s.vars[i].name] = true
	}
	var all []taking
	if s.login != nil {
		all = append(all, s.login.take...)
	}
	for _, st := range s.steps {
		if len(st.take) > 0 && (st.copies == 0 || st.cut) {
			return problem(st.where, "take needs fire: {copies: …} and an answer: of messages that differ, or were cut, nobody knows whose value it would be")
		}
		all = append(all, st.take...)
	}
	for _, t := range all {
		if known[t.name] {
			return problem(name, "%s is defined twice, by vars or take", t.name)
		}
		known[t.name] = true
	}
	return nil
}

// takers are the steps whose values the step's templates may use: those before
// it. Messages that differ have vars of their own and can use none.
func (s *Spec) takers(of *step) []*step {
	var before []*step
	for _, st := range s.steps {
		if st == of || of.copies == 0 {
			break
		}
		if len(st.take) > 0 {
			before = append(before, st)
		}
	}
	return before
}

// standIns puts stand-ins for the values of earlier steps to vars.
func (s *Spec) standIns(of *step, vars map[string]string) {
	for _, st := range s.takers(of) {
		for _, t := range st.take {
			vars[t.name] = standIn
		}
	}
}

// find returns the values of an answer, or the path that it lacks.
func find(takes []taking, answer *gate.Answer) (values map[string]string, lacks string) {
	document, _ := expect.NewBody(answer.Body, answer.Unread != "").JSON()
	values = map[string]string{}
	for _, t := range takes {
		found := t.path.Find(document)
		text, ok := "", false
		if len(found) > 0 {
			text, ok = expect.Scalar(found[0])
		}
		// It may come to stand in a header, where no answer may write lines.
		if !ok || !fieldValue(text) {
			return nil, t.path.String()
		}
		values[t.name] = text
	}
	return values, ""
}

// takeFrom gives each cell the values of its best answer: a winner's rather
// than another's, and of these the first.
func (r *runner) takeFrom(st *step, v *volley, answers []gate.Answer, seen []observation) error {
	if len(st.take) == 0 {
		return nil
	}
	for k := range v.cells {
		best, rank, lacks := map[string]string(nil), -1, st.take[0].path.String()
		for i := range answers {
			worth := worthOf(&seen[i])
			if v.of[i] != k || answers[i].Err != nil || worth <= rank {
				continue
			}
			values, missing := find(st.take, &answers[i])
			if missing != "" {
				lacks = missing
				continue
			}
			best, rank = values, worth
		}
		if best == nil {
			return r.untaken(st, lacks)
		}
		maps.Copy(v.cells[k].vars, best)
	}
	return nil
}

func worthOf(o *observation) int {
	switch {
	case o.won:
		return 2
	case o.success:
		return 1
	}
	return 0
}

func (r *runner) untaken(st *step, path string) error {
	r.stopped = "value missing"
	r.doubt("%s, so what comes after it could not be sent", st.named("no answer had "+path))
	return errUntaken
}

// prepareAtOnce is how many requests that prepare a control round are under
// way at once.
const prepareAtOnce = 16

// prepare sends, for each cell of a control round, what the steps before the
// one under proof send, and takes its values: each has then its own.
func (r *runner) prepare(ctx context.Context, v *volley) error {
	for _, st := range r.spec.takers(r.spec.step) {
		before := &volley{call: &st.call, cells: v.cells}
		signatures := r.newSignatures()
		for i := range v.cells {
			if err := before.add(r, signatures, i, v.cells[i].moment, v.cells[i].vars); err != nil {
				return err
			}
		}
		answers, seen := r.sendSeveral(ctx, before.requests), make([]observation, len(v.cells))
		for i := range answers {
			seen[i] = r.weigh(st, &answers[i])
		}
		if err := r.takeFrom(st, before, answers, seen); err != nil {
			return errors.Join(err, ctx.Err())
		}
	}
	return nil
}

// sendSeveral sends requests side by side, a few at a time.
func (r *runner) sendSeveral(ctx context.Context, requests []gate.Request) []gate.Answer {
	answers := make([]gate.Answer, len(requests))
	next := 0
	for part := range slices.Chunk(requests, prepareAtOnce) {
		var group sync.WaitGroup
		for i := range part {
			to := &answers[next+i]
			group.Go(func() { *to = r.client.send(ctx, &part[i]) })
		}
		group.Wait()
		next += len(part)
	}
	return answers
}

// shownTakes says in words what is taken.
func shownTakes(takes []taking) []string {
	var all []string
	for _, t := range takes {
		all = append(all, fmt.Sprintf("{{.%s}} from %s", t.name, t.path))
	}
	return all
}
