package probe

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe/expect"
)

// idleReason says why nothing was tried at all, or "": no request ever
// succeeded, so nobody could win and nobody could race.
func (r *runner) idleReason() string {
	kinds, total := map[string]int{}, 0
	for i := range r.log {
		for k := range r.log[i].seen {
			o := &r.log[i].seen[k]
			if o.success {
				return ""
			}
			kinds[orElse(o.fault, strconv.Itoa(o.status))] += o.times
			total += o.times
		}
	}
	if total == 0 {
		return fmt.Sprintf("the target never answered as it should (%s)%s", orElse(r.lastFault, "nothing was fired"), advice(r.lastFault))
	}
	var words []string
	for _, kind := range slices.SortedFunc(maps.Keys(kinds), func(a, b string) int { return kinds[b] - kinds[a] }) {
		words = append(words, fmt.Sprintf("%s × %d", kind, kinds[kind]))
	}
	most := slices.MaxFunc(slices.Collect(maps.Keys(kinds)), func(a, b string) int { return kinds[a] - kinds[b] })
	return fmt.Sprintf("the target never answered as it should (%s)%s", strings.Join(words, ", "), advice(most))
}

// advice is what to look at first when answers are of one kind only.
func advice(kind string) string {
	switch {
	case kind == "401" || kind == "403":
		return "; check the credentials and the signature"
	case kind == "404" || kind == "405":
		return "; check the URL and the method"
	case kind == "429":
		return "; it limits the rate: fire fewer copies, or lift the limit for the probe"
	case len(kind) == 3 && kind[0] == '3':
		return "; redirects are not followed: give the final URL, and log in first if it asks for that"
	case len(kind) == 3 && kind[0] == '5':
		return "; it fails by itself: look into its log before probing for races"
	case len(kind) == 3 && kind[0] == '4':
		return "; check the body, the keys and whether they were used before"
	case kind == "timed out":
		return "; it hangs, or timeout is too short"
	}
	return ""
}

// passDoubts are the reasons why a run on which nothing went wrong is no pass.
func (r *runner) passDoubts() []string {
	var doubts []string
	add := func(text string) {
		if text != "" {
			doubts = append(doubts, text)
		}
	}
	if r.spec.fallback {
		add("nothing was expected but the absence of server errors: say with --rows or in a specification how many may win")
	}
	if r.spec.races() || len(r.spec.steps) == 1 && !r.spec.sequential() {
		add(r.overlapDoubt())
		add(r.simultaneityDoubt())
	}
	add(r.answerDoubt())
	add(r.effectDoubt())
	if bad := r.health.bad(); bad != nil {
		add(fmt.Sprintf("the health check failed %s: %s", bad.When, bad.Reason))
	}
	return doubts
}

// simultaneityDoubt looks at the attack itself, as seen from here.
func (r *runner) simultaneityDoubt() string {
	early, alone, rounds := 0, 0, 0
	for i := range r.log {
		if r.log[i].step != r.spec.step {
			continue
		}
		rounds++
		if r.log[i].early {
			early++
		} else if r.log[i].inFlight < 2 {
			alone++
		}
	}
	sound := rounds - early - alone
	switch {
	case sound*2 > rounds:
		return ""
	case early > 0:
		return fmt.Sprintf("in %d of %d rounds answers came before the requests were whole, so they were not simultaneous; probe again", early, rounds)
	}
	return fmt.Sprintf("in %d of %d rounds no two requests were under way at once", alone, rounds)
}

// answerDoubt names answers that are no evidence of a fix.
func (r *runner) answerDoubt() string {
	kinds, cached, total := map[string]int{}, 0, 0
	for i := range r.log {
		for k := range r.log[i].seen {
			o := &r.log[i].seen[k]
			total += o.times
			if o.cached {
				cached += o.times
			}
			if text := r.noEvidence(r.log[i].step, o); text != "" {
				kinds[text] += o.times
			}
		}
	}
	if cached > 0 {
		return fmt.Sprintf("%d of %d answers came from a cache, not from the target", cached, total)
	}
	if len(kinds) == 0 {
		return ""
	}
	most := slices.MaxFunc(slices.Sorted(maps.Keys(kinds)), func(a, b string) int { return kinds[a] - kinds[b] })
	return fmt.Sprintf("%d of %d requests %s, which is no evidence of a fix%s", kinds[most], total, most, unexpected(most))
}

func unexpected(text string) string {
	if strings.HasPrefix(text, "were answered") {
		return "; name them in an expectation if they are meant"
	}
	return ""
}

// noEvidence says what is wrong with an answer that nothing expects.
func (r *runner) noEvidence(st *step, o *observation) string {
	switch {
	case o.fault != "":
		return "had no whole answer (" + o.fault + ")"
	case o.unread != "":
		return "had an answer that cannot be judged: " + o.unread
	}
	for _, i := range o.matches {
		if most, bounded := st.replies[i].Count.Most(); !bounded || most > 0 {
			return ""
		}
	}
	refused := slices.Contains([]int{401, 403, 404, 405, 407, 408, 425, 429}, o.status)
	if refused || o.status >= 500 || o.status < 200 || o.status >= 300 && o.status < 400 {
		return "were answered " + strconv.Itoa(o.status)
	}
	return ""
}

// effectDoubt asks whether the rounds had an effect: somebody succeeded, and
// rows that were asked for were not there before.
func (r *runner) effectDoubt() string {
	idle, unchanged, rounds := 0, 0, 0
	for i := range r.log {
		// What later steps find was made by the first.
		if r.log[i].step != r.spec.first() {
			continue
		}
		rounds++
		if !r.everyKeySucceeded(&r.log[i]) {
			idle++
		} else if !r.changed(&r.log[i]) {
			unchanged++
		}
	}
	switch {
	case idle == rounds || idle > 0 && r.spec.fresh:
		return fmt.Sprintf("in %d of %d rounds nobody succeeded, so there was nothing to race for", idle, rounds)
	case idle+unchanged == rounds || unchanged > 0 && r.spec.fresh:
		return fmt.Sprintf("in %d of %d rounds the rows were there before, so the key had been used: give every round its own by vars", unchanged, rounds)
	case r.runUnchanged():
		return "the rows counted over the run were there before it, so the key had been used"
	}
	return ""
}

func (r *runner) everyKeySucceeded(a *attack) bool {
	succeeded := make([]bool, len(r.spec.allKeys()))
	if sent := a.step.distinct + a.step.messages(); sent > 0 {
		succeeded = succeeded[:min(sent, len(succeeded))]
	}
	for i := range a.seen {
		if a.seen[i].success {
			succeeded[a.seen[i].key] = true
		}
	}
	return !slices.Contains(succeeded, false)
}

// changed tells whether, for every key, some check that asks for rows saw a
// change; it is true where none asks.
func (r *runner) changed(a *attack) bool {
	asked, moved := map[int]bool{}, map[int]bool{}
	for _, w := range a.watches {
		if a.rate == nil && w.check.asksForRows() {
			asked[w.key] = true
			moved[w.key] = moved[w.key] || !w.unchanged()
		}
	}
	for key := range asked {
		if !moved[key] {
			return false
		}
	}
	return true
}

func (r *runner) runUnchanged() bool {
	asked, moved := false, false
	for _, w := range r.watches {
		if w.round < 0 && w.check.asksForRows() {
			asked = true
			moved = moved || !w.unchanged()
		}
	}
	return asked && !moved
}

// unfound says which JSON places no answer had, where an expectation counted none.
func (r *runner) unfound(e *expect.Response) string {
	var missing []string
	for _, w := range e.JSON {
		if !r.found[w.Path.String()] {
			missing = append(missing, w.Path.String())
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "; no answer had " + strings.Join(missing, ", ")
}

func (r *runner) passReason() string {
	if !r.spec.races() {
		return "every expectation held; nothing was sent several times at once, so this says nothing of races"
	}
	return fmt.Sprintf("%s; the target worked on %s requests with different keys at once", r.volleys(), decimal(*r.overlap().Parallelism))
}

func (r *runner) volleys() string {
	keys := ""
	if n := len(r.spec.keys); n > 1 {
		keys = fmt.Sprintf(" for each of %d keys", n)
	}
	return fmt.Sprintf("every expectation held in %s of %d simultaneous requests%s", casefile.Count(r.roundsSeen(), "round"), r.spec.copies, keys)
}
