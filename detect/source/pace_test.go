package source_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"twinrow/detect/source"
)

func TestPaceHoldsBack(t *testing.T) {
	pace := source.NewPace(10 << 20)
	start := time.Now()
	for range 20 {
		if err := pace.Spend(t.Context(), 100<<10); err != nil {
			t.Fatal(err)
		}
	}
	// 2 MB at 10 MiB a second take a fifth of a second; less a breath at the end.
	if took := time.Since(start); took < 150*time.Millisecond {
		t.Errorf("2,000 KiB at 10 MiB/s took %s", took)
	}
}

func TestAStreamIsHeldBackToo(t *testing.T) {
	start := time.Now()
	text, err := io.ReadAll(source.NewPace(1<<20).Reader(t.Context(), strings.NewReader(strings.Repeat("x", 200<<10))))
	if took := time.Since(start); err != nil || len(text) != 200<<10 || took < 150*time.Millisecond {
		t.Errorf("read %d bytes in %s: %v", len(text), took, err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := io.ReadAll(source.NewPace(1).Reader(ctx, strings.NewReader("text"))); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("4 bytes at a byte a second ended with %v", err)
	}
}

func TestPaceEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if err := source.NewPace(1).Spend(ctx, 1<<30); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("spending 1 GiB at a byte a second ended with %v", err)
	}
}

func TestNoPace(t *testing.T) {
	for _, pace := range []*source.Pace{nil, source.NewPace(0), source.NewPace(-1)} {
		if err := pace.Spend(t.Context(), 1<<60); err != nil {
			t.Errorf("without a pace: %v", err)
		}
	}
}
