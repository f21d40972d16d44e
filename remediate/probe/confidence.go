package probe

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe/overlap"
)

// What control rounds are judged by, where the target tells no times.
//
// A single request may look slower than it is among others: Go, for one, rounds
// the timers of an idle process up to a millisecond, so that a single worker
// that sleeps 50 µs was seen to take 1.2 ms alone and 0.15 ms among others.
// With work s and at most 1.2 ms added to a request alone, one worker's
// parallelism comes out below w / (w - 1.2 ms) for any N, where w = s + 1.2 ms
// is what a request alone takes. Under that, no figure seen from outside tells
// one fast worker from many. A rule on the gaps between answers was tried and
// let one pass, and how much faster many at once are answered than one after
// another would, too: with 0.3 ms of a proxy in front of a single worker of
// 0.05 ms they are answered seven times as fast.
const (
	// asleep is what a request alone may take longer than among others.
	asleep = 1200 * time.Microsecond
	// resolution is how long the quickest single request must take beneath the
	// network for a pass, brisk how long for enoughParallelism to do.
	resolution, brisk = 1500 * time.Microsecond, 2 * time.Millisecond
	// enoughParallelism is what a pass needs, of three or more requests.
	enoughParallelism = 2.5
	// margin is how far above one worker's a quick target's must be.
	margin = 1.25
)

// enough is the parallelism that a pass needs, less where few requests leave
// no room for it, more where a request takes hardly longer than a sleeping
// process takes to wake.
func (r *runner) enough() float64 {
	enough := min(enoughParallelism, float64(r.spec.controlSize()+1)/2)
	if w := r.work(); w >= resolution && w < brisk {
		return max(enough, margin*float64(w)/float64(w-asleep))
	}
	return enough
}

// overlapDoubt says why the attack's requests may not have overlapped, or "".
func (r *runner) overlapDoubt() string {
	c := &r.control
	switch {
	case r.spec.atOnce() < 2 || r.spec.copies < 2:
		return "only one request was sent for each key, so nothing could race"
	case r.spec.controlKind() == controlNone:
		return "nothing shows that the target works on several requests at once: there are no keys that differ; give control: {vars: …} or several keys"
	case len(c.blocks) == 0:
		return "the control rounds were not answered, so nothing shows that the target works on several requests at once"
	case c.refused*2 > c.used:
		return "the control requests were refused, so nothing shows that the target works on several requests at once"
	case r.work() < resolution:
		return r.quickDoubt()
	case r.parallelism() < r.enough():
		return "the target worked on only " + decimal(r.parallelism()) + " requests with different keys at once, so a single worker may have put the copies in a row; run it with several workers, on a machine that is not busy"
	}
	return ""
}

// quickDoubt judges a target that answers too fast to be judged from outside,
// by the times that it tells itself.
func (r *runner) quickDoubt() string {
	text := "the target answers in " + shortTime(slices.Min(r.control.solos)) + ", too fast to see from outside whether it works on several requests at once; "
	own, problem := r.ownParallelism()
	switch {
	case r.spec.times == nil:
		return text + "let it tell its own times (server_times in a specification, --server-times with a URL), or probe it with its real database"
	case problem != "":
		return text + problem
	case own < r.enough():
		return "by its own times the target worked on only " + decimal(own) + " requests with different keys at once, so a single worker may have put the copies in a row; run it with several workers, on a machine that is not busy"
	}
	return ""
}

// ownParallelism is the parallelism by the times that the target tells, or why
// there is none.
func (r *runner) ownParallelism() (own float64, problem string) {
	if r.spec.times == nil {
		return 0, "the target tells no times of its own"
	}
	if problem := r.times().Problem(); problem != "" {
		return 0, problem
	}
	if own = r.times().Parallelism(); own == 0 {
		return 0, "and it tells when it began a request, but not when it ended or how long it took"
	}
	return own, ""
}

// confidence says what was shown and what was not.
func (r *runner) confidence(verdict Verdict) Confidence {
	switch verdict {
	case Fail:
		return Confidence{Statement: "what was seen went wrong; how often it would is not estimated"}
	case Inconclusive:
		return Confidence{Statement: "nothing is claimed: the run does not tell a fixed target from a vulnerable one"}
	}
	if !r.spec.races() {
		return Confidence{Statement: "what was sent one after another, and what differed, was answered as it should; nothing is claimed of races"}
	}
	window, probability, problem := r.window()
	if problem == "" {
		gaps := r.times().Gaps()
		return Confidence{WindowUS: new(window.Microseconds()), Probability: &probability, Statement: fmt.Sprintf(
			"a check-to-insert window of %s or more would have been caught with %s probability in %s, if the requests arrived as in the %d control rounds, "+
				"where by the target's own clock the second began within %s of the first (median), and if it checks as soon as it begins",
			shortTime(window), percentDown(probability), theseRounds(r.soundRounds()), len(gaps), shortTime(gaps[len(gaps)/2]))}
	}
	seen := r.overlap()
	return Confidence{Statement: fmt.Sprintf(
		"no duplicate in %s; the requests of a round left within %s (median), and single ones with other keys took %s, %d at once %s. "+
			"Which check-to-insert window this would have caught is not claimed: %s",
		casefile.Count(r.roundsSeen(), "round"), micros(seen.SendSpanUS.Median), micros(*seen.SoloUS), r.spec.controlSize(), micros(*seen.TogetherUS), problem)}
}

func micros(us int64) string { return shortTime(time.Duration(us) * time.Microsecond) }

func theseRounds(n int) string {
	if n == 1 {
		return "this round"
	}
	return fmt.Sprintf("these %d rounds", n)
}

// percentDown rounds a probability down: nothing is as sure as 100 %.
func percentDown(p float64) string {
	return strconv.FormatFloat(min(99.9, float64(int(p*1000))/10), 'f', -1, 64) + " %"
}

// window is the check-to-insert window that the run would have caught, with
// its probability, or why none can be named.
func (r *runner) window() (window time.Duration, probability float64, problem string) {
	times := r.times()
	if r.spec.times == nil {
		return 0, 0, "the target's own arrival times were not to be had (server_times or --server-times says where they are)"
	}
	if problem := times.Problem(); problem != "" {
		return 0, 0, problem
	}
	gaps, rounds := times.Gaps(), r.soundRounds()
	if len(gaps) == 0 {
		return 0, 0, "the target tells how long it worked on a request, but not when it began"
	}
	if r.spec.until > 0 {
		return r.spec.until, overlap.Caught(gaps, r.spec.until, rounds), ""
	}
	window, ok := overlap.Smallest(gaps, rounds)
	if !ok {
		return 0, 0, fmt.Sprintf("%s too few for it", isOrAre(rounds))
	}
	return window, overlap.Caught(gaps, window, rounds), ""
}

func isOrAre(rounds int) string {
	if rounds == 1 {
		return "1 round is"
	}
	return casefile.Count(rounds, "round") + " are"
}

// soundRounds are the attack rounds of the step under proof whose requests
// were simultaneous, as far as that is seen from here.
func (r *runner) soundRounds() int {
	n := 0
	for i := range r.log {
		if a := &r.log[i]; a.step == r.spec.step && !a.early && a.inFlight > 1 {
			n++
		}
	}
	return n
}
