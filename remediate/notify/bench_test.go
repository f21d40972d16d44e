package notify

import (
	"runtime"
	"testing"
)

// BenchmarkDraft reports mails a second and the memory that is held after.
func BenchmarkDraft(b *testing.B) {
	groups := many(10_000)
	opened := makeCase(b, groups)
	choices := keepFirst(groups)
	b.ResetTimer()
	for b.Loop() {
		if _, err := Draft(b.Context(), opened, groups, choices, testOptions()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(groups)*b.N)/b.Elapsed().Seconds(), "mails/s")
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.Sys)/(1<<20), "MB")
}
