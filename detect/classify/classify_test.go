package classify

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
	"twinrow/detect/source"
)

// rowsAt makes a group of rows at the given times; "" is a row without one.
func rowsAt(t *testing.T, texts ...string) (*casefile.Group, []Evidence) {
	t.Helper()
	g := &casefile.Group{Rows: make([]casefile.Row, len(texts))}
	times := make([]Evidence, len(texts))
	for i, text := range texts {
		if text == "" {
			continue
		}
		at, err := source.ParseInstant(text)
		if err != nil {
			t.Fatal(err)
		}
		times[i].At = &at
	}
	return g, times
}

func TestClassOfOneGap(t *testing.T) {
	const first = "2025-12-19T22:32:47.000Z"
	for _, c := range []struct {
		name, second string
		class        casefile.Class
		strength     casefile.Strength
		reason       string
	}{
		{"milliseconds", "2025-12-19T22:32:47.079Z", casefile.Race, casefile.Likely, "79 ms apart, within the race window of 1 s"},
		{"the window itself", "2025-12-19T22:32:48.000Z", casefile.Race, casefile.Likely, "1 s apart, within the race window of 1 s"},
		{"just past it", "2025-12-19T22:32:48.001Z", casefile.Resubmit, casefile.Possible, "1.001 s apart, beyond the race window of 1 s and within the resubmit window of 1 m"},
		{"a hair past it", "2025-12-19T22:32:48.0003Z", casefile.Resubmit, casefile.Possible, "1.0003 s apart, beyond the race window of 1 s and within the resubmit window of 1 m"},
		{"a hair past three days", "2025-12-22T22:32:47.0003Z", casefile.Replay, casefile.Possible, "259200.0003 s apart, beyond the retry horizon of 72 h"},
		{"centuries", "2525-12-19T22:32:47.000Z", casefile.Replay, casefile.Possible, "more than 292 years apart, beyond the retry horizon of 72 h"},
		{"a minute", "2025-12-19T22:33:47.000Z", casefile.Resubmit, casefile.Possible, "1 m apart, beyond the race window of 1 s and within the resubmit window of 1 m"},
		{"incident A", "2025-12-21T17:48:05.000Z", casefile.Retry, casefile.Possible, "43 h 15 m 18 s apart, beyond the resubmit window of 1 m and within the retry horizon of 72 h"},
		{"beyond three days", "2025-12-23T22:32:47.000Z", casefile.Replay, casefile.Possible, "96 h apart, beyond the retry horizon of 72 h"},
		{"the same instant", first, casefile.Race, casefile.Possible, "0 s apart, within the race window of 1 s"},
		{"no time", "", casefile.UntimedClass, casefile.Possible, "no two rows with a usable time to compare"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, times := rowsAt(t, first, c.second)
			Group(g, times, Facts{Windows: DefaultWindows, Step: time.Millisecond})
			if g.Class != c.class || g.Strength != c.strength {
				t.Errorf("got %s (%s), want %s (%s)", g.Class, g.Strength, c.class, c.strength)
			}
			if diff := cmp.Diff([]string{c.reason}, g.Reasons); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			if *g.Rows[1].Class != c.class || g.Rows[0].Class != nil || g.Rows[0].GapUS != nil {
				t.Errorf("rows' classes are %v and %v", g.Rows[0].Class, *g.Rows[1].Class)
			}
		})
	}
}

func TestMixedGroupHasTheClassOfItsSmallestGap(t *testing.T) {
	g, times := rowsAt(t, "2025-12-19 10:00:00.000", "2025-12-19 15:00:00.000", "2025-12-19 15:00:00.014", "")
	Group(g, times, Facts{Windows: DefaultWindows, Step: time.Millisecond})
	if g.Class != casefile.Race || !g.Mixed {
		t.Errorf("got %s, mixed %v", g.Class, g.Mixed)
	}
	want := []string{
		"the nearest two rows are 14 ms apart, within the race window of 1 s",
		"1 other gap of retry: 5 h",
		"1 row without a usable time",
	}
	if diff := cmp.Diff(want, g.Reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if g.SpanUS != nil {
		t.Errorf("span %d though the last row has no time", *g.SpanUS)
	}
	if diff := cmp.Diff([]string{"the time column names no zone; UTC was assumed"}, g.Unknown); diff != "" {
		t.Errorf("unknown (-want +got):\n%s", diff)
	}
}

func TestWholeSecondsCannotShowARace(t *testing.T) {
	g, times := rowsAt(t, "2025-12-19T10:00:00Z", "2025-12-19T10:00:01Z")
	Group(g, times, Facts{Windows: DefaultWindows, Step: time.Second})
	if g.Class != casefile.Race || g.Strength != casefile.Possible {
		t.Errorf("got %s (%s)", g.Class, g.Strength)
	}
	want := []string{"the time column shows steps of 1 s, so the gap is 1 s ± 1 s"}
	if diff := cmp.Diff(want, g.Unknown); diff != "" {
		t.Errorf("unknown (-want +got):\n%s", diff)
	}
}

func TestDatesAloneCannotShowARace(t *testing.T) {
	g, times := rowsAt(t, "2025-12-19", "2025-12-19")
	Group(g, times, Facts{Windows: DefaultWindows, Step: 24 * time.Hour})
	if g.Class != casefile.Race || g.Strength != casefile.Possible {
		t.Errorf("got %s (%s)", g.Class, g.Strength)
	}
	if want := "the time column shows steps of 24 h, so the gap is 0 ± 24 h"; g.Unknown[0] != want {
		t.Errorf("got %q, want %q", g.Unknown[0], want)
	}
}

func TestWindowsMustAscend(t *testing.T) {
	for _, w := range []Windows{{}, {time.Minute, time.Second, time.Hour}, {time.Second, time.Second, time.Hour}, {-1, 1, 2}} {
		var problem *key.Problem
		if err := w.Check(); !errors.As(err, &problem) || problem.Code != key.CodeUsage {
			t.Errorf("%v: got %v", w, err)
		}
	}
	if err := DefaultWindows.Check(); err != nil {
		t.Error(err)
	}
}

func TestSpell(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                       "0 s",
		400:                                     "0.4 µs",
		250 * time.Microsecond:                  "250 µs",
		1300 * time.Microsecond:                 "1.3 ms",
		14 * time.Millisecond:                   "14 ms",
		time.Second:                             "1 s",
		2020 * time.Millisecond:                 "2.02 s",
		90 * time.Second:                        "1 m 30 s",
		time.Hour:                               "1 h",
		69299 * time.Second:                     "19 h 14 m 59 s",
		155718 * time.Second:                    "43 h 15 m 18 s",
		72 * time.Hour:                          "72 h",
		-time.Minute:                            "-1 m",
		59*time.Minute + 59999*time.Millisecond: "1 h",
	} {
		if got := Spell(d); got != want {
			t.Errorf("Spell(%d) = %q, want %q", d, got, want)
		}
	}
}
