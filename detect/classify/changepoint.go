package classify

import "math"

// Method names how onset and end are found, for the document.
const Method = "two change-points of maximum likelihood in the share of duplicates among the rows written (binomial); intervals at 95 % by likelihood ratio (D. Siegmund, Confidence sets in change-point problems, International Statistical Review 56, 1988)"

// change is where the share of duplicates rises and falls again: buckets from
// onset up to, not including, end. The others are the ends of the intervals.
type change struct {
	onset, onsetFirst, onsetLast int
	end, endFirst, endLast       int
}

// halfChi is half of the 95 % point of chi-squared with one degree of freedom.
const halfChi = 1.92

// findChange fits "p inside, q outside" to duplicates of rows in buckets. ok is
// false where that is no better than one share throughout, after paying for
// the many places that were tried.
func findChange(duplicates, rows []int64) (found change, ok bool) {
	n := len(rows)
	k, m := sums(duplicates), sums(rows)
	best := math.Inf(-1)
	level := make([][]float64, n)
	for a := range n {
		level[a] = make([]float64, n+1)
		for b := a + 1; b <= n; b++ {
			inK, inM := k[b]-k[a], m[b]-m[a]
			outK, outM := k[n]-inK, m[n]-inM
			// Only a rise is an incident.
			if inK*outM < outK*inM || inM == 0 {
				level[a][b] = math.Inf(-1)
				continue
			}
			l := likelihood(inK, inM) + likelihood(outK, outM)
			if level[a][b] = l; l > best {
				best, found.onset, found.end = l, a, b
			}
		}
	}
	none := likelihood(k[n], m[n])
	if math.IsInf(best, -1) || 2*(best-none) < 4*math.Log(float64(n)) {
		return found, false
	}
	found.intervals(level, best)
	return found, true
}

// intervals keeps the places whose best likelihood, over all of the other
// place, is close to the best of all.
func (c *change) intervals(level [][]float64, best float64) {
	c.onsetFirst, c.onsetLast, c.endFirst, c.endLast = c.onset, c.onset, c.end, c.end
	for a := range level {
		for b := a + 1; b < len(level[a]); b++ {
			if best-level[a][b] <= halfChi {
				c.onsetFirst, c.onsetLast = min(c.onsetFirst, a), max(c.onsetLast, a)
				c.endFirst, c.endLast = min(c.endFirst, b), max(c.endLast, b)
			}
		}
	}
}

// likelihood is the logarithm of that of k of n at its best share.
func likelihood(k, n int64) float64 {
	if k <= 0 || k >= n {
		return 0
	}
	p := float64(k) / float64(n)
	return float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p)
}

func sums(counts []int64) []int64 {
	out := make([]int64, len(counts)+1)
	for i, c := range counts {
		out[i+1] = out[i] + c
	}
	return out
}
