package overlap

import (
	"math"
	"time"
)

// Sure is the probability with which a window must be caught to be promised.
const Sure = 0.999

// doubtful is the share of runs in which a lower bound may be above the truth.
const doubtful = 0.05

// Lower is the lower end of the one-sided 95 % Clopper-Pearson interval of a
// probability, after k successes in n trials: the p at which k or more
// successes have a chance of 5 %.
func Lower(k, n int) float64 {
	if k <= 0 || n <= 0 {
		return 0
	}
	low, high := 0.0, 1.0
	for range 60 {
		middle := (low + high) / 2
		if atLeast(k, n, middle) > doubtful {
			high = middle
		} else {
			low = middle
		}
	}
	return low
}

// atLeast is the chance of k or more successes in n trials of probability p.
func atLeast(k, n int, p float64) float64 {
	// Each term is the one before it times the ratio of the two.
	odds, sum := p/(1-p), 0.0
	term := math.Exp(chooseLog(n, k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	for i := k; i <= n; i++ {
		sum += term
		term *= odds * float64(n-i) / float64(i+1)
	}
	return sum
}

func chooseLog(n, k int) float64 {
	all, _ := math.Lgamma(float64(n + 1))
	in, _ := math.Lgamma(float64(k + 1))
	out, _ := math.Lgamma(float64(n - k + 1))
	return all - in - out
}

// below counts the gaps shorter than a window; gaps are sorted.
func below(gaps []time.Duration, window time.Duration) int {
	n := 0
	for n < len(gaps) && gaps[n] < window {
		n++
	}
	return n
}

// Caught is the probability that a window shows in one of so many rounds: at
// least 1 - (1-p)^rounds, where p is Lower of the gaps shorter than the window.
func Caught(gaps []time.Duration, window time.Duration, rounds int) float64 {
	return 1 - math.Pow(1-Lower(below(gaps, window), len(gaps)), float64(rounds))
}

// Smallest is the smallest window that so many rounds catch with the
// probability Sure, in whole microseconds; ok is false where there is none.
func Smallest(gaps []time.Duration, rounds int) (window time.Duration, ok bool) {
	// What a round must catch for all of them to catch enough.
	needed := 1 - math.Pow(1-Sure, 1/float64(rounds))
	for k := range gaps {
		if atLeast(k+1, len(gaps), needed) <= doubtful {
			return gaps[k].Truncate(time.Microsecond) + time.Microsecond, true
		}
	}
	return 0, false
}

// Rounds is how many rounds catch a window with the probability Sure; ok is
// false where no number does, because no gap was shorter.
func Rounds(gaps []time.Duration, window time.Duration) (n int, ok bool) {
	p := Lower(below(gaps, window), len(gaps))
	if p == 0 {
		return 0, false
	}
	if p == 1 {
		return 1, true
	}
	return max(1, int(math.Ceil(math.Log(1-Sure)/math.Log1p(-p)))), true
}
