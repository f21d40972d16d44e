package classify

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"twinrow/detect/casefile"
)

// Pattern says which schedules the gaps of all groups fit together, and how
// much of that chance would do. nil where no gap is wide enough for a retry.
func Pattern(groups []*casefile.Group, f Facts) *casefile.Retries {
	r := &casefile.Retries{Tried: len(f.Schedules)}
	byProvider := map[string]*casefile.ProviderFit{}
	candidates, widest := 0, time.Duration(0)
	for _, g := range groups {
		gaps := wide(g, f.Windows)
		if gaps > 0 {
			r.Gaps += gaps
			candidates++
		}
		if g.SpanUS != nil {
			widest = max(widest, time.Duration(*g.SpanUS)*time.Microsecond)
		}
		for _, fit := range g.Fits {
			p := byProvider[fit.Provider]
			if p == nil {
				p = &casefile.ProviderFit{Provider: fit.Provider}
				byProvider[fit.Provider] = p
			}
			p.Groups++
			p.Gaps += fit.Gaps
			if fit.Strength == casefile.Likely {
				p.Chains++
			}
		}
	}
	if r.Gaps == 0 && len(byProvider) == 0 {
		return nil
	}
	for _, s := range f.Schedules {
		if p := byProvider[s.Name]; p != nil && f.describe(p, &s, candidates) {
			r.Providers = append(r.Providers, *p)
		}
	}
	slices.SortStableFunc(r.Providers, func(a, b casefile.ProviderFit) int {
		return cmp.Or(cmp.Compare(b.Chains, a.Chains), cmp.Compare(b.Gaps, a.Gaps))
	})
	r.Says = f.sayPattern(r, widest)
	return r
}

// wide counts the gaps beyond the resubmit window.
func wide(g *casefile.Group, w Windows) int {
	n := 0
	for _, row := range g.Rows {
		if row.GapUS != nil && *row.GapUS > w.Resubmit.Microseconds() {
			n++
		}
	}
	return n
}

// describe fills in what the schedule says of itself. It is false where a fit
// is no more than chance would do: no chain, and few groups.
func (f Facts) describe(p *casefile.ProviderFit, s *Schedule, candidates int) bool {
	p.Name, p.ValidFrom, p.Source, p.Confidence, p.WindowUS = s.Title, s.ValidFrom, s.Source, s.Confidence, s.Window.Microseconds()
	for i, w := range s.waits() {
		p.WaitsUS = append(p.WaitsUS, w.Microseconds())
		p.CumulativeUS = append(p.CumulativeUS, s.Cumulative[i].Microseconds())
	}
	share := min(1, s.accidents(s.waits(), 1, 0, f.Step))
	expected := share * float64(max(candidates, p.Groups))
	p.Says = fmt.Sprintf("%s fit, of which %s of three deliveries and more; chance would fit about %.0f", casefile.Count(p.Groups, "group"), casefile.Count(p.Chains, "chain"), expected)
	return p.Chains > 0 || len(f.Schedules) == 1 || tail(max(candidates, p.Groups), p.Groups, share)*float64(len(f.Schedules)) < chance
}

// tail is the chance of k or more of n where each has the chance p.
func tail(n, k int, p float64) float64 {
	if p >= 1 || k <= 0 {
		return 1
	}
	sum := 0.0
	for i := k; i <= n; i++ {
		ln, _ := math.Lgamma(float64(n + 1))
		lk, _ := math.Lgamma(float64(i + 1))
		lr, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(ln - lk - lr + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(sum, 1)
}

func (f Facts) sayPattern(r *casefile.Retries, widest time.Duration) string {
	var text string
	switch {
	case len(r.Providers) > 0:
		names := make([]string, len(r.Providers))
		for i, p := range r.Providers {
			names[i] = p.Name
		}
		text = "the gaps fit the schedule of " + strings.Join(names, ", and that of ")
	case len(f.Schedules) == 1 && len(f.Schedules[0].Cumulative) == 0:
		return "the schedule of " + f.Schedules[0].Title + " is not published, so no attempt is claimed"
	default:
		text = fmt.Sprintf("no schedule known fits the gaps better than chance (%d tried)", r.Tried)
	}
	var silent []string
	for _, s := range f.Schedules {
		if len(s.Cumulative) == 0 && s.automatic() && widest <= s.Window && s.ValidUntil == "" {
			silent = append(silent, s.Title)
		}
	}
	if len(silent) > 0 {
		text += "; all gaps also lie within the windows of " + strings.Join(silent, ", ") + ", which publish no intervals, so none of their attempts is claimed"
	}
	return text
}
