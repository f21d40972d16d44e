package overlap

import (
	"math"
	"testing"
	"time"
)

// The values are those of the tables of Clopper and Pearson (one-sided 95 %),
// computed as the quantile of the beta distribution; n of n is 0.05^(1/n).
func TestLower(t *testing.T) {
	for _, test := range []struct {
		k, n int
		want float64
	}{
		{0, 20, 0}, {1, 1, 0.05}, {20, 20, 0.8609}, {10, 20, 0.3020}, {1, 20, 0.0026}, {30, 30, 0.9050}, {95, 100, 0.8977}, {5, 10, 0.2224},
	} {
		if got := Lower(test.k, test.n); math.Abs(got-test.want) > 0.0005 {
			t.Errorf("%d of %d: %.4f, want %.4f", test.k, test.n, got, test.want)
		}
	}
}

func TestWindows(t *testing.T) {
	gaps := make([]time.Duration, 20)
	for i := range gaps {
		gaps[i] = time.Duration(i+1) * 10 * time.Microsecond
	}
	// 20 rounds need p >= 0.2921, which is 10 of 20.
	if w, ok := Smallest(gaps, 20); !ok || w != 101*time.Microsecond {
		t.Errorf("20 rounds: %v %v", w, ok)
	}
	if got := Caught(gaps, 101*time.Microsecond, 20); got < Sure {
		t.Errorf("that window is caught with %f", got)
	}
	if got := Caught(gaps, 100*time.Microsecond, 20); got >= Sure {
		t.Errorf("a window as long as the tenth gap is caught with %f", got)
	}
	if w, ok := Smallest(gaps, 1); ok {
		t.Errorf("one round promises %v", w)
	}
	if _, ok := Rounds(gaps, 10*time.Microsecond); ok {
		t.Error("a window shorter than every gap is promised")
	}
	for _, window := range []time.Duration{11, 55, 101, 1000} {
		window *= time.Microsecond
		n, ok := Rounds(gaps, window)
		if !ok || Caught(gaps, window, n) < Sure || n > 1 && Caught(gaps, window, n-1) >= Sure {
			t.Errorf("%v: %d rounds", window, n)
		}
	}
	if _, ok := Rounds(nil, time.Second); ok {
		t.Error("without a gap nothing can be promised")
	}
}
