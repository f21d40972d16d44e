// Package overlap owns what a target's own times prove: whether it works on
// several requests at once, how soon the second of them began after the first,
// and which check-to-insert window a probe would therefore have caught.
//
// It must not know where times come from, nor how a request is sent.
package overlap

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Work is what a target says of its work on one request, by its own clock.
type Work struct {
	// Began and Ended are zero where the target does not say them.
	Began, Ended time.Time
	// Took is the time from the one to the other, 0 where it is not known.
	Took time.Duration
	// Grain is the step of the times: a time may be later than told by up to
	// that much.
	Grain time.Duration
}

// Request is one request of a round. Sent and Done are by the clock of the
// probe: right before the release, and the end of the answer.
type Request struct {
	Sent, Done time.Time
	// Group tells requests apart that stand for copies of different keys.
	Group int
	Work  Work
	// Told is false where the target did not say anything.
	Told bool
}

// Times gathers rounds whose requests have keys that differ.
type Times struct {
	rounds [][]Request
	// grain is the coarsest of any time told: what shows fewer digits than
	// others may only have ended in zeros, so it is the finest that counts.
	grain time.Duration
}

// Add takes a round of requests that were released together; a single request
// is a round too.
func (t *Times) Add(round []Request) {
	t.rounds = append(t.rounds, round)
	for i := range round {
		w := &round[i].Work
		if round[i].Told && w.Grain > 0 && (t.grain == 0 || w.Grain < t.grain) {
			t.grain = w.Grain
		}
	}
}

// slack is what the reading of a clock may cost, and wander the share of a run
// by which two good clocks part in it.
const (
	slack  = 2 * time.Millisecond
	wander = 10_000
)

// Problem says why the times cannot be used, or "". Times of one clock, of
// these requests, fit between the release and the answer of each by a single
// shift; a time that a cache or another row handed out does not.
func (t *Times) Problem() string {
	told, all := 0, 0
	for _, round := range t.rounds {
		for i := range round {
			all++
			if !round[i].Told {
				continue
			}
			told++
			if text := round[i].nonsense(t.grain + slack); text != "" {
				return text
			}
		}
	}
	switch {
	case told == 0:
		return "the target told no time"
	case told*10 < all*9:
		return fmt.Sprintf("the target told its times for only %d of %d requests", told, all)
	case t.misfit() > slack+t.length()/wander:
		return "the times that the target told do not fit the requests: they are of several clocks, of other requests, or from a cache"
	}
	return ""
}

// Ahead tells whether the target may have begun its work before the release:
// its times do not fit behind it or, where it does not tell the end, cannot
// show that they do.
func (t *Times) Ahead() bool {
	for _, round := range t.rounds {
		for i := range round {
			if r := &round[i]; r.Told && (r.Work.Took == 0 || r.nonsense(t.grain) != "") {
				return true
			}
		}
	}
	return t.misfit() > 0
}

// misfit is by how much no single shift between the two clocks explains all
// times; it is negative where one does.
func (t *Times) misfit() time.Duration {
	// The shift is at most what puts a beginning at its release, and at least
	// what puts an end at its answer.
	most, least := time.Duration(math.MaxInt64), time.Duration(math.MinInt64)
	for _, round := range t.rounds {
		for i := range round {
			r := &round[i]
			if !r.Told || r.Work.Began.IsZero() {
				continue
			}
			end := r.Work.Began
			if !r.Work.Ended.IsZero() {
				end = r.Work.Ended
			}
			most, least = min(most, r.Work.Began.Sub(r.Sent)+t.grain), max(least, end.Sub(r.Done))
		}
	}
	if least == math.MinInt64 {
		return -1
	}
	return least - most
}

// nonsense says what is wrong with a request's times by themselves, beyond what
// clocks may err.
func (r *Request) nonsense(allowance time.Duration) string {
	w := &r.Work
	switch {
	case w.Took < 0 || !w.Ended.IsZero() && w.Ended.Before(w.Began):
		return "the target told of work that ended before it began"
	case w.Took > r.Done.Sub(r.Sent)+allowance:
		return "the target told of work that took longer than its answer"
	}
	return ""
}

// length is the time from the first release to the last answer.
func (t *Times) length() time.Duration { return answered(slices.Concat(t.rounds...)) }

// several tells a round from a single request.
func several(round []Request) bool { return len(round) > 1 }

// Parallelism is how many requests the target works on at once: of N requests
// that it took a time together, N times the shortest work over that time. Of
// one worker's intervals, which cannot overlap, the shortest is at most an
// N-th, so it never comes out above 1; times that include the wait for that
// worker grow one by one, and the shortest is its work alone. It is the median
// over the rounds, 0 where the target does not tell how long it worked.
func (t *Times) Parallelism() float64 {
	shortest := t.Shortest()
	if shortest <= 0 {
		return 0
	}
	var ratios []float64
	for _, round := range t.rounds {
		if span := t.span(round); several(round) && span > 0 {
			ratios = append(ratios, min(float64(len(round)), float64(len(round))*float64(shortest)/float64(span)))
		}
	}
	if len(ratios) == 0 {
		return 0
	}
	slices.Sort(ratios)
	return ratios[(len(ratios)-1)/2]
}

// Shortest is the shortest work of a round, less what the grain may have added
// to it; of the rounds it is the lower quartile, so that most took longer.
func (t *Times) Shortest() time.Duration {
	var shortest []time.Duration
	for _, round := range t.rounds {
		if least, ok := leastWork(round); ok && several(round) {
			shortest = append(shortest, least)
		}
	}
	if len(shortest) == 0 {
		return 0
	}
	slices.Sort(shortest)
	return shortest[(len(shortest)-1)/4] - t.grain
}

func leastWork(round []Request) (least time.Duration, ok bool) {
	for i := range round {
		if w := &round[i].Work; round[i].Told && (!ok || w.Took < least) {
			least, ok = w.Took, true
		}
	}
	return least, ok
}

// span is the time from the first beginning to the last end, or from the
// release to the last answer where the target tells no times but durations.
func (t *Times) span(round []Request) time.Duration {
	var from, to time.Time
	for i := range round {
		r := &round[i]
		began, ended := r.Work.Began, r.Work.Ended
		if !r.Told || began.IsZero() || ended.IsZero() {
			return answered(round)
		}
		if from.IsZero() || began.Before(from) {
			from = began
		}
		if ended.After(to) {
			to = ended
		}
	}
	return to.Sub(from) + t.grain
}

func answered(round []Request) time.Duration {
	var from, to time.Time
	for i := range round {
		if r := &round[i]; from.IsZero() || r.Sent.Before(from) {
			from = r.Sent
		}
		if r := &round[i]; r.Done.After(to) {
			to = r.Done
		}
	}
	return to.Sub(from)
}

// Gaps are, for each round, the time between the first two requests that the
// target began, sorted; of several groups the longest, so that what is said
// holds for each. The grain is added: times may be that far apart though they
// look the same. It is empty where the target does not tell when it began.
func (t *Times) Gaps() []time.Duration {
	var gaps []time.Duration
	for _, round := range t.rounds {
		if gap, ok := firstTwo(round); ok && several(round) {
			gaps = append(gaps, gap+t.grain)
		}
	}
	slices.Sort(gaps)
	return gaps
}

func firstTwo(round []Request) (gap time.Duration, ok bool) {
	groups := map[int][]time.Time{}
	for i := range round {
		r := &round[i]
		if !r.Told || r.Work.Began.IsZero() {
			// Whoever is missing may have been among the first: without it the
			// gap is only longer.
			continue
		}
		groups[r.Group] = append(groups[r.Group], r.Work.Began)
	}
	for _, began := range groups {
		if len(began) < 2 {
			return 0, false
		}
		slices.SortFunc(began, time.Time.Compare)
		gap, ok = max(gap, began[1].Sub(began[0])), true
	}
	return gap, ok
}
