package overlap

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// simulated is a target that was not looked at when the statistic was chosen:
// how its requests arrive, and how long after it each is looked up.
type simulated struct {
	name string
	// arrivals of one round, in order, in microseconds.
	arrivals func(rng *rand.Rand, n int) []float64
	// look is the time from the arrival to the check, in microseconds.
	look func(rng *rand.Rand) float64
}

func spread(rng *rand.Rand, n int, next func() float64) []float64 {
	at, all := 0.0, make([]float64, n)
	for i := range all {
		all[i] = at
		at += next()
	}
	return all
}

func exponential(rng *rand.Rand, mean float64) float64 { return rng.ExpFloat64() * mean }

func lognormal(rng *rand.Rand, median, sigma float64) float64 {
	return median * math.Exp(sigma*rng.NormFloat64())
}

// heldOut are the targets: workers that take turns, a machine with hiccups, a
// network that reorders, one that is busy for a third of the time.
var heldOut = []simulated{
	{"even workers", func(rng *rand.Rand, n int) []float64 {
		return spread(rng, n, func() float64 { return exponential(rng, 13) })
	}, func(rng *rand.Rand) float64 { return 5 + exponential(rng, 3) }},
	{"long tail", func(rng *rand.Rand, n int) []float64 {
		return spread(rng, n, func() float64 { return lognormal(rng, 20, 1.2) })
	}, func(rng *rand.Rand) float64 { return lognormal(rng, 20, 0.5) }},
	{"hiccups", func(rng *rand.Rand, n int) []float64 {
		return spread(rng, n, func() float64 {
			if rng.Float64() < 0.1 {
				return 2000
			}
			return exponential(rng, 30)
		})
	}, func(rng *rand.Rand) float64 { return 10 }},
	{"network", func(rng *rand.Rand, n int) []float64 {
		all := make([]float64, n)
		for i := range all {
			all[i] = lognormal(rng, 300, 0.8)
		}
		slices.Sort(all)
		return all
	}, func(rng *rand.Rand) float64 { return lognormal(rng, 50, 0.7) }},
	{"busy at times", func(rng *rand.Rand, n int) []float64 {
		mean := 10.0
		if rng.Float64() < 0.33 {
			mean = 400
		}
		return spread(rng, n, func() float64 { return exponential(rng, mean) })
	}, func(rng *rand.Rand) float64 { return exponential(rng, 20) }},
}

// caught tells whether a check-to-insert window shows in one round.
func (s *simulated) caught(rng *rand.Rand, n int, window float64) bool {
	first, second := math.Inf(1), math.Inf(1)
	for _, at := range s.arrivals(rng, n) {
		check := at + s.look(rng)
		switch {
		case check < first:
			first, second = check, first
		case check < second:
			second = check
		}
	}
	return second < first+window
}

func (s *simulated) round(rng *rand.Rand, n int) []Request {
	origin := time.Unix(1_700_000_000, 0)
	round := make([]Request, n)
	for i, at := range s.arrivals(rng, n) {
		began := origin.Add(time.Duration(at * 1e3))
		round[i] = Request{Sent: origin, Done: began.Add(time.Second), Told: true, Work: Work{Began: began, Grain: time.Microsecond}}
	}
	return round
}

// promises runs probes of a simulated target and counts the windows that were
// promised, and those of them that none of the attack rounds caught.
func (s *simulated) promises(rng *rand.Rand, probes int) (promised, missed int) {
	for range probes {
		copies, controls, attacks := 2+rng.IntN(40), 20+rng.IntN(20), 3+rng.IntN(40)
		times := &Times{}
		for range controls {
			times.Add(s.round(rng, copies))
		}
		window, ok := Smallest(times.Gaps(), attacks)
		if !ok {
			continue
		}
		promised++
		seen := false
		for range attacks {
			seen = seen || s.caught(rng, copies, float64(window)/1e3)
		}
		if !seen {
			missed++
		}
	}
	return promised, missed
}

func TestPromisedWindowsAreCaught(t *testing.T) {
	rng := rand.New(rand.NewPCG(20251224, 32037914))
	for _, target := range heldOut {
		promised, missed := target.promises(rng, 2000)
		t.Logf("%-14s %d promised, %d missed", target.name, promised, missed)
		if promised < 1000 || missed*100 > promised {
			t.Errorf("%s: of %d promised windows %d were missed", target.name, promised, missed)
		}
	}
}
