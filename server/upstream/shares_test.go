package upstream

import (
	"math"
	"testing"
)

// shares has the pool choose n times, with each request in flight until as many
// others have begun as the upstream takes long, and returns how many each
// upstream got.
func shares(t *testing.T, p *Pool, n int, slow map[string]int) map[string]int {
	t.Helper()
	got := map[string]int{}
	ends := map[int][]*member{}
	for now := range n {
		for _, m := range ends[now] {
			m.state.leave()
		}
		m, err := pick(p, asked(t, ""))
		if err != nil {
			t.Fatal(err)
		}
		got[m.name]++
		ends[now+slow[m.name]] = append(ends[now+slow[m.name]], m)
		if slow[m.name] == 0 {
			m.state.leave()
		}
	}
	return got
}

func TestSharesFollowTheWeightsWithin5Percent(t *testing.T) {
	const n = 10_000
	tests := []struct {
		name   string
		slow   map[string]int
		within float64 // of all; a standard deviation is at most 0.005
	}{
		{"one after the other", nil, .025},
		{"ten at once, all alike", map[string]int{"a": 10, "b": 10, "c": 10}, .05},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			weights := map[string]int{"a": 1, "b": 3, "c": 6}
			pool := map[string]Settings{}
			for name, weight := range weights {
				pool[name] = at(0, weight)
			}
			got := shares(t, newPool(t, nil, pool), n, tt.slow)
			for name, weight := range weights {
				share, want := float64(got[name])/n, float64(weight)/10
				if math.Abs(share-want) > tt.within {
					t.Errorf("%s got %.3f, want %.1f within %.3f", name, share, want, tt.within)
				}
			}
		})
	}
}

func TestASlowUpstreamGetsLess(t *testing.T) {
	const n = 10_000
	p := newPool(t, nil, map[string]Settings{"a": at(0, 1), "b": at(0, 1), "slow": at(0, 1)})
	got := shares(t, p, n, map[string]int{"a": 5, "b": 5, "slow": 50})
	if got["slow"] > n/4 {
		t.Errorf("the slow one got %d of %d, want less than a quarter", got["slow"], n)
	}
}
