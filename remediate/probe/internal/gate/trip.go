package gate

import (
	"context"
	"slices"
	"time"
)

// tripSamples is how often the way to the target is measured.
const tripSamples = 12

// Trips measures the round trip beneath any handler: TCP handshakes, one after
// another, sorted. It leaves nothing open. Where there is TLS its handshake is
// finished too: a server logs those that break off.
func Trips(ctx context.Context, target Target) ([]time.Duration, error) {
	trips := make([]time.Duration, tripSamples)
	for i := range trips {
		conn, err := Dial(ctx, target, "http/1.1", "h2")
		if err != nil {
			return nil, err
		}
		trips[i] = conn.Connect
		_ = conn.Close()
	}
	slices.Sort(trips)
	return trips, nil
}
