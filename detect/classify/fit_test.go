package classify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

// spaced makes a group whose rows are the gaps apart.
func spaced(gaps ...time.Duration) (*casefile.Group, []Evidence) {
	when := time.Date(2025, 12, 24, 3, 20, 37, 914_000_000, time.UTC)
	rows := []Evidence{{At: &source.Instant{Time: when, Digits: 3, Zoned: true}}}
	for _, g := range gaps {
		when = when.Add(g)
		rows = append(rows, Evidence{At: &source.Instant{Time: when, Digits: 3, Zoned: true}})
	}
	return &casefile.Group{Rows: make([]casefile.Row, len(rows))}, rows
}

func classifySpaced(t *testing.T, provider string, gaps ...time.Duration) *casefile.Group {
	t.Helper()
	schedules, err := ChooseSchedules(provider, "")
	if err != nil {
		t.Fatal(err)
	}
	g, rows := spaced(gaps...)
	Group(g, rows, Facts{Windows: DefaultWindows, Step: time.Millisecond, Schedules: schedules})
	return g
}

func TestSchedulesThatFit(t *testing.T) {
	const s, m, h = time.Second, time.Minute, time.Hour
	for _, c := range []struct {
		name, provider string
		gaps           []time.Duration
		attempts       map[string][]int
		class          casefile.Class
		strength       casefile.Strength
		says           string
	}{
		{"a chain", "", []time.Duration{5*m + 2*s, 31 * m, 2*h + 3*m}, map[string][]int{"svix": {2, 3, 4, 5}}, casefile.Retry, casefile.Likely, "fits the Svix family, attempts 2, 3, 4 and 5"},
		{"from the first seconds on", "", []time.Duration{6 * s, 5*m + 4*s, 30 * m}, map[string][]int{"svix": {1, 2, 3, 4}}, casefile.Retry, casefile.Likely, "fits the Svix family"},
		{"two providers alike", "", []time.Duration{5 * m, 10 * m, 15 * m}, map[string][]int{"mailgun": {1, 2, 3, 4}, "adyen": {5, 6, 7, 8}}, casefile.Retry, casefile.Likely, "as well as"},
		{"one gap", "svix", []time.Duration{30 * m}, map[string][]int{"svix": {3, 4}}, casefile.Retry, casefile.Possible, "one gap is weak evidence"},
		{"a double delivery at one attempt", "svix", []time.Duration{5 * m, 20 * time.Millisecond, 30 * m}, map[string][]int{"svix": {2, 3, 0, 4}}, casefile.Race, casefile.Likely, "fits the Svix family, attempts 2, 3 and 4"},
		{"one gap of several", "", []time.Duration{30 * m, 13 * h, 77 * m}, map[string][]int{}, casefile.Retry, casefile.Possible, "within the retry horizon"},
		{"one gap of several, of the one asked for", "svix", []time.Duration{30 * m, 13 * h}, map[string][]int{"svix": {3, 4, 0}}, casefile.Retry, casefile.Possible, "one gap is weak evidence"},
		{"none", "", []time.Duration{47 * m, 13 * h, 77 * m}, map[string][]int{}, casefile.Retry, casefile.Possible, "within the retry horizon"},
		{"none of the one asked for", "svix", []time.Duration{47 * m}, map[string][]int{}, casefile.Retry, casefile.Possible, "fits no wait of the Svix family"},
		{"a window only", "stripe", []time.Duration{5 * m, 30 * m}, map[string][]int{}, casefile.Retry, casefile.Possible, "within the 72 h for which Stripe goes on; it publishes no intervals, so no attempt is claimed"},
		{"beyond a window", "square", []time.Duration{30 * h}, map[string][]int{}, casefile.Retry, casefile.Possible, "beyond the 24 h for which Square goes on"},
		{"one that never delivers again", "GitHub", []time.Duration{30 * h}, map[string][]int{}, casefile.Retry, casefile.Possible, "GitHub does not deliver again by itself"},
		{"one of another day", "shopify-until-2024", []time.Duration{30 * m}, map[string][]int{}, casefile.Retry, casefile.Possible, "did not hold"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := classifySpaced(t, c.provider, c.gaps...)
			got := map[string][]int{}
			for _, f := range g.Fits {
				got[f.Provider] = f.Attempts
			}
			if diff := cmp.Diff(c.attempts, got); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
			if all := strings.Join(g.Reasons, "; "); g.Class != c.class || g.Strength != c.strength || !strings.Contains(all, c.says) {
				t.Errorf("got %s, %s, because %q", g.Strength, g.Class, all)
			}
		})
	}
}

func TestProvidersAreWhole(t *testing.T) {
	for _, s := range Providers() {
		if s.Source == "" || s.Confidence == "" || s.Title == s.Name {
			t.Errorf("%s lacks a title, a source or a confidence", s.Name)
		}
		if s.automatic() && s.Window == 0 {
			t.Errorf("%s has no end", s.Name)
		}
	}
	if _, err := ChooseSchedules("svixx", ""); err == nil || !strings.Contains(err.Error(), "svixx") {
		t.Errorf("got %v", err)
	}
}

func TestSchedulesOfOnesOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("schedules:\n- {name: house, cumulative: [1m, 3m], tolerance: 0.1}\n- {name: svix, cumulative: [1h]}\n")
	all, err := ChooseSchedules("", path)
	if err != nil || all[0].Name != "house" || len(all) != len(Providers())+1 {
		t.Errorf("got %d schedules, %v", len(all), err)
	}
	one, err := ChooseSchedules("svix", path)
	if err != nil || len(one) != 1 || len(one[0].Cumulative) != 1 {
		t.Errorf("one's own does not replace the known one: %v, %v", one, err)
	}
	for text, word := range map[string]string{
		"": "no schedule", "schedules: [{name: a}]": "neither", "schedules: [{cumulative: [1m]}]": "no name", "schedules: [{name: a, cumulative: [2m, 1m]}]": "ascend",
		"schedules: [{name: a, cumulativ: [1m]}]": "cumulativ", "schedules: [{name: a, cumulative: [x]}]": "x", "schedules: [{name: a, window: 1h, tolerance: 2}]": "tolerance",
		"schedules: [{name: a, window: 1h}, {name: a, window: 1h}]": "twice", "{": "",
	} {
		write(text)
		if _, err := ChooseSchedules("", path); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: got %v, want %q in it", text, err, word)
		}
	}
	if _, err := ChooseSchedules("", path+".gone"); err == nil {
		t.Error("a missing file is no error")
	}
}

func FuzzSchedules(f *testing.F) {
	f.Add([]byte("schedules: [{name: a, cumulative: [1m, 6m], tolerance: 0.1, timeout: 3s}]"))
	f.Add(providers)
	f.Fuzz(func(t *testing.T, raw []byte) {
		all, err := parseSchedules(raw)
		if err != nil {
			return
		}
		g, rows := spaced(time.Minute, time.Hour)
		Group(g, rows, Facts{Windows: DefaultWindows, Step: time.Millisecond, Schedules: all})
		for _, fit := range g.Fits {
			if len(fit.Attempts) != len(g.Rows) || len(fit.WaitsUS) != len(g.Rows)-1 || fit.Says == "" {
				t.Errorf("a fit that does not belong to its group: %+v", fit)
			}
		}
	})
}

func TestPatternNeedsMoreThanChance(t *testing.T) {
	var fitting, random []*casefile.Group
	for i := range 12 {
		fitting = append(fitting, classifySpaced(t, "", 5*time.Minute+time.Duration(i)*time.Second, 30*time.Minute, 2*time.Hour))
		random = append(random, classifySpaced(t, "", time.Duration(70+i*331)*time.Second))
	}
	f := Facts{Windows: DefaultWindows, Step: time.Millisecond, Schedules: Providers()}
	if p := Pattern(fitting, f); p == nil || len(p.Providers) == 0 || p.Providers[0].Provider != "svix" || p.Providers[0].Chains != 12 {
		t.Errorf("got %+v", p)
	}
	if p := Pattern(random, f); p == nil || len(p.Providers) != 0 || !strings.Contains(p.Says, "no schedule known fits") {
		t.Errorf("got %+v", p)
	}
	if p := Pattern([]*casefile.Group{classifySpaced(t, "", time.Millisecond)}, f); p != nil {
		t.Errorf("a race alone has no retries: %+v", p)
	}
}

// That the second came afterwards stays proven, whoever sent it again.
func TestOneFittingGapLeavesASequenceProven(t *testing.T) {
	rows := []Evidence{written(0, 5, "1", casefile.ByInsert), written(5_100, 5_110, "2", casefile.ByInsert)}
	facts := kept
	facts.Schedules, _ = ChooseSchedules("svix", "")
	g := &casefile.Group{Rows: make([]casefile.Row, len(rows))}
	Group(g, rows, facts)
	if g.Class != casefile.Resubmit || g.Strength != casefile.Proven || len(g.Fits) != 1 || !strings.Contains(strings.Join(g.Unknown, "; "), "whether a person or a provider sent it again") {
		t.Errorf("got %s, %s, fits %v, unknown %q", g.Strength, g.Class, g.Fits, g.Unknown)
	}
}
