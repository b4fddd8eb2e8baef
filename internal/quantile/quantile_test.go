package quantile

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestAt(t *testing.T) {
	seconds := func(n int) (all []time.Duration) {
		for i := range n {
			all = append(all, time.Duration(n-i)*time.Second)
		}
		return all
	}
	tests := []struct {
		name    string
		least   int
		add     []time.Duration
		percent int
		want    time.Duration // 0 if it says nothing
	}{
		{"nothing", 0, nil, 95, 0},
		{"too few", 20, seconds(19), 95, 0},
		{"just enough", 20, seconds(20), 95, 19 * time.Second},
		{"the longest", 20, seconds(20), 100, 20 * time.Second},
		{"the shortest", 20, seconds(20), 1, time.Second},
		{"the middle of an odd number", 0, seconds(5), 50, 3 * time.Second},
		{"one", 0, seconds(1), 95, time.Second},
		{"all the same", 0, []time.Duration{7, 7, 7, 7}, 95, 7},
		{"the oldest are forgotten", 0, append(seconds(64), seconds(32)...), 100, 32 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := New(32, tt.least)
			for _, d := range tt.add {
				w.Add(d)
			}
			got, known := w.At(tt.percent)
			if got != tt.want || known != (tt.want > 0) {
				t.Errorf("got %s, %t, want %s", got, known, tt.want)
			}
		})
	}
}

// TestItIsWhatSortingSays compares each answer with one that sorts the latest
// durations anew, of which many are the same.
func TestItIsWhatSortingSays(t *testing.T) {
	const size = 50
	dice := rand.New(rand.NewPCG(1, 2))
	w, all := New(size, 1), []time.Duration(nil)
	for i := range 2000 {
		d := time.Duration(dice.IntN(30))
		w.Add(d)
		all = append(all, d)
		latest := slices.Sorted(slices.Values(all[max(0, len(all)-size):]))
		for _, percent := range []int{1, 33, 50, 95, 99, 100} {
			rank := int(math.Ceil(float64(percent*len(latest)) / 100))
			if got, _ := w.At(percent); got != latest[rank-1] {
				t.Fatalf("after %d: at %d of a hundred %d, want %d", i+1, percent, got, latest[rank-1])
			}
		}
	}
}

func TestManyMayAddAtOnce(t *testing.T) {
	w := New(100, 1)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 1000 {
				w.Add(time.Duration(i))
				w.At(95)
			}
		})
	}
	group.Wait()
	if got, known := w.At(100); !known || got > 999 || len(w.sorted) != 100 || !slices.IsSorted(w.sorted) {
		t.Errorf("at the end %d, %t, of %d", got, known, len(w.sorted))
	}
}

func BenchmarkAddAndAt(b *testing.B) {
	dice := rand.New(rand.NewPCG(1, 2))
	w := New(256, 20)
	var some [1024]time.Duration
	for i := range some {
		some[i] = time.Duration(dice.ExpFloat64() * float64(time.Second))
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		w.Add(some[n%len(some)])
		w.At(95)
		n++
	}
}
