package scan

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRepeatsFindsEveryEqualPair compares with a plain map, over sizes that
// make the table grow and fingerprints that collide.
func TestRepeatsFindsEveryEqualPair(t *testing.T) {
	for _, c := range []struct {
		name     string
		rows     int
		expected int64
		mask     uint64
	}{
		{"as foreseen", 20000, 20000, ^uint64(0)},
		{"more than foreseen", 50000, 10, ^uint64(0)},
		{"unknown", 30000, 0, ^uint64(0)},
		{"colliding fingerprints", 20000, 20000, 0xFFF00},
	} {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			hashes := make([]uint64, c.rows)
			for i := range hashes {
				hashes[i] = random.Uint64()
				if i > 0 && random.IntN(10) == 0 {
					hashes[i] = hashes[random.IntN(i)]
				}
			}
			r := newRepeats(c.expected, 1<<30)
			byHash := map[uint64][]uint64{}
			for i, h := range hashes {
				if !r.add(h&c.mask, uint64(i)) {
					t.Fatal("no room")
				}
				byHash[h] = append(byHash[h], uint64(i))
			}
			clusterOf := map[uint64]int{}
			for n, cluster := range r.drain() {
				for _, locator := range cluster {
					if _, twice := clusterOf[locator]; twice {
						t.Fatalf("row %d is in two clusters", locator)
					}
					clusterOf[locator] = n
				}
			}
			for _, rows := range byHash {
				if len(rows) < 2 {
					continue
				}
				want, found := clusterOf[rows[0]]
				for _, row := range rows {
					if got, ok := clusterOf[row]; !ok || !found || got != want {
						t.Fatalf("rows %v with one fingerprint are not in one cluster", rows)
					}
				}
			}
		})
	}
}

// TestRepeatsKeepsApartWhatDiffers bounds by chance how many look alike: a row
// is compared with some three others in 16 bits.
func TestRepeatsKeepsApartWhatDiffers(t *testing.T) {
	const rows = 200_000
	r := newRepeats(rows, 1<<30)
	random := rand.New(rand.NewPCG(3, 4))
	for i := range uint64(rows) {
		r.add(random.Uint64(), i)
	}
	if found := r.drain(); len(found) > 20 {
		t.Errorf("%d clusters among %d random fingerprints", len(found), rows)
	}
}

func TestRepeatsStopsAtItsLimit(t *testing.T) {
	r := newRepeats(0, leastSlots*slotBytes)
	random := rand.New(rand.NewPCG(7, 8))
	added := 0
	for r.add(random.Uint64(), uint64(added)) {
		if added++; added > leastSlots {
			t.Fatal("took more rows than it has slots")
		}
	}
	// Two random fingerprints may look alike; such a row takes no slot.
	for _, alike := range r.clusters {
		added -= len(alike)
	}
	if want := leastSlots * fullness / 100; added != want {
		t.Errorf("took %d rows into slots, want %d", added, want)
	}
}

func TestDrainIsInOrderOfLocator(t *testing.T) {
	r := newRepeats(10, 1<<20)
	for _, row := range []struct{ hash, locator uint64 }{{9e18, 50}, {3e18, 7}, {9e18, 1}, {3e18, 60}, {9e18, 3}} {
		r.add(row.hash, row.locator)
	}
	want := [][]uint64{{1, 3, 50}, {7, 60}}
	if diff := cmp.Diff(want, r.drain()); diff != "" {
		t.Errorf("clusters (-want +got):\n%s", diff)
	}
	if !slices.IsSorted(want[0]) {
		t.Error("the expectation itself is not sorted")
	}
}

func BenchmarkRepeats(b *testing.B) {
	const rows = 1 << 20
	random := rand.New(rand.NewPCG(5, 6))
	hashes := make([]uint64, rows)
	for i := range hashes {
		hashes[i] = random.Uint64()
	}
	for b.Loop() {
		r := newRepeats(rows, 1<<30)
		for i, h := range hashes {
			r.add(h, uint64(i))
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
