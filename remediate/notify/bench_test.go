package notify_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
)

const (
	draftEnv = "TWINROW_TEST_DRAFT"
	// benchMails are as many as a large incident has.
	benchMails = 10_000
)

// draftChild drafts a case as the program does: it reads the evidence, and ends.
func draftChild(dir string) int {
	opened, err := casefile.Open(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	groups, err := opened.Groups()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if _, err := notify.Draft(context.Background(), opened, groups, firstOfEach(groups), notify.Options{From: "help@example.com", Redact: os.Getenv("REDACT") != ""}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// BenchmarkDraft drafts 10,000 mails in a process of its own and reports how
// long it took and how much memory it ever held.
func BenchmarkDraft(b *testing.B) {
	for _, redact := range []string{"", "yes"} {
		b.Run("redact="+redact, func(b *testing.B) {
			opened, _, _ := bareCase(b, benchMails)
			var most int64
			var cpu time.Duration
			for b.Loop() {
				command := exec.Command(os.Args[0])
				command.Env = append(os.Environ(), draftEnv+"="+opened.Dir, "REDACT="+redact)
				command.Stderr = os.Stderr
				if err := command.Run(); err != nil {
					b.Fatal(err)
				}
				most = max(most, command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
				cpu += command.ProcessState.UserTime() + command.ProcessState.SystemTime()
			}
			b.ReportMetric(float64(benchMails*b.N)/b.Elapsed().Seconds(), "mails/s")
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/10000-mails")
			b.ReportMetric(float64(most)/1024, "MB-peak") // Linux counts in kilobytes
			b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/10000-mails")
		})
	}
}

// accepting is a carrier that takes every mail at once.
type accepting struct{}

func (accepting) Name() string                                       { return "accepting" }
func (accepting) Suppressed(context.Context, string) (string, error) { return "", nil }
func (accepting) Send(context.Context, notify.Message) notify.Outcome {
	return notify.Outcome{State: notify.Accepted}
}

// BenchmarkSendAtRate reports the rate that sending really kept when told 50 a second.
func BenchmarkSendAtRate(b *testing.B) {
	const rate, mails = 50, 100
	for b.Loop() {
		opened := draftCase(b, mails)
		begun := time.Now()
		if _, err := notify.Send(b.Context(), opened, accepting{}, notify.SendOptions{Rate: rate}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(mails-1)/time.Since(begun).Seconds(), "mails/s-of-50")
	}
}
