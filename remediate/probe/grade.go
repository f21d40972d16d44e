package probe

import (
	"fmt"
	"math"
	"strings"
	"time"

	"twinrow/detect/casefile/proof"
)

// Words of a grade.
const (
	good       = "good"
	acceptable = "acceptable"
	poor       = "poor"
)

// What the 95th percentile of the latency is graded by where nothing else is
// expected of it: under a second is good, under two acceptable. A share of
// server errors under 1 % is acceptable. These, and the shares of rejected
// requests below, are from a seat booking that sent 100 buyers after each seat.
const (
	goodLatency      = time.Second
	acceptableErrors = 0.01
	manyErrors       = 0.05
	// Of n copies one wins; a share of winners from half to five times of 1/n is acceptable.
	fewestWinners, mostWinners = 0.5, 5.0
)

// grade puts a word on the figures of the run and says what they point to.
func (r *runner) grade(out *Result) {
	total, errors, winners, answers := 0, 0, 0, 0
	for i := range r.log {
		for k := range r.log[i].seen {
			o := &r.log[i].seen[k]
			total += o.times
			if o.status >= 500 {
				errors += o.times
			}
			if r.log[i].step == r.spec.step {
				answers += o.times
				if o.won {
					winners += o.times
				}
			}
		}
	}
	if total == 0 {
		return
	}
	if r.spec.races() {
		out.Grades = append(out.Grades, r.winnerGrade(out), rejectedGrade(winners, answers, r.spec.copies))
	}
	if out.LatencyUS.P95 != nil {
		out.Grades = append(out.Grades, r.latencyGrade(time.Duration(*out.LatencyUS.P95)*time.Microsecond))
	}
	share := float64(errors) / float64(total)
	g := proof.Grade{Name: "server errors", Value: percent(share), Grade: poor, Scale: "good 0 %, acceptable under 1 %"}
	if errors == 0 {
		g.Grade = good
	} else if share < acceptableErrors {
		g.Grade = acceptable
	}
	out.Grades = append(out.Grades, g)
	r.diagnose(out, share)
}

// winnerGrade is on the worst key of the worst round.
func (r *runner) winnerGrade(out *Result) proof.Grade {
	least, most := math.MaxInt, 0
	for _, k := range out.Keys {
		least, most = min(least, k.Winners), max(most, k.Winners)
	}
	g := proof.Grade{Name: "winners a key", Value: fmt.Sprint(most), Grade: good, Scale: "good 1, poor more"}
	if most != 1 || least != 1 {
		g.Grade = poor
	}
	if least == 0 && most == 1 {
		g.Value = "0 for some keys"
	}
	return g
}

func rejectedGrade(winners, answers, copies int) proof.Grade {
	share, one := float64(winners)/float64(max(1, answers)), 1/float64(copies)
	most := min(mostWinners*one, (1+one)/2) // of few copies, five times would be all
	g := proof.Grade{
		Name: "rejected", Value: percent(1 - share), Grade: acceptable,
		Scale: fmt.Sprintf("good about %s, poor outside of %s to %s", percent(1-one), percent(1-most), percent(1-fewestWinners*one)),
	}
	switch {
	case share > most || share < fewestWinners*one:
		g.Grade = poor
	case math.Abs(share-one) < one/10:
		g.Grade = good
	}
	return g
}

func (r *runner) latencyGrade(p95 time.Duration) proof.Grade {
	limit := goodLatency
	for _, st := range r.spec.steps {
		for _, l := range st.latency {
			if l.name == "p95" {
				limit = l.most
			}
		}
	}
	g := proof.Grade{Name: "latency p95", Value: shortTime(p95), Grade: poor, Scale: fmt.Sprintf("good up to %s, acceptable up to %s", shortTime(limit), shortTime(2*limit))}
	switch {
	case p95 <= limit:
		g.Grade = good
	case p95 <= 2*limit:
		g.Grade = acceptable
	}
	return g
}

// diagnose says what the signs point to.
func (r *runner) diagnose(out *Result, errors float64) {
	say := func(sign, means string) {
		out.Diagnosis = append(out.Diagnosis, proof.Diagnosis{Sign: sign, Means: means})
	}
	most := 0
	for _, k := range out.Keys {
		most = max(most, k.Winners)
	}
	allowed, bounded := int64(1), true
	if w := r.spec.winner(); w >= 0 {
		allowed, bounded = r.spec.replies[w].Count.Most()
	}
	if r.spec.races() && bounded && int64(most) > allowed {
		say("several winners for one key", "a race: a lock or a constraint is missing between the look and the write")
	}
	if r.idleReason() != "" {
		say("all requests failed", "wrong ids, keys that were used before, or missing permissions; nothing was tried")
	}
	if errors >= manyErrors {
		say("many server errors", "overload, or conflicts that the code does not catch; look into its log")
	}
	for _, g := range out.Grades {
		if strings.HasPrefix(g.Name, "latency") && g.Grade == poor {
			say("slow answers", "contention for a lock; look at what waits for what in the database")
		}
	}
}

func percent(share float64) string {
	text := fmt.Sprintf("%.1f", 100*share)
	return strings.TrimSuffix(text, ".0") + " %"
}
