package ledgertest

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/holysheep/relay/internal/ledger"
)

// crowd is how many ask at once.
const crowd = 32

// many has many ask at the same time.
func (s suite) many(t *testing.T) {
	t.Run("what is there is given out, and no more", func(t *testing.T) {
		b := s.bench(t, noon())
		tokens := ledger.Claim{Counter: &ledger.Counter{Name: "all.tokens", Kind: ledger.KindRate}, Cost: 10, Limit: 1009}
		budget := daily(7, 1000)
		var passed atomic.Int64
		b.crowd(func() {
			for range 10 {
				if _, taken := b.take(tokens, budget); taken {
					passed.Add(1)
				}
			}
		})
		if passed.Load() != 100 {
			t.Errorf("%d passed, want 100", passed.Load())
		}
		b.used(tokens, 1000)
		b.used(budget, 700)
	})
	t.Run("never do more hold than may", func(t *testing.T) {
		b := s.bench(t, noon())
		all, each := inFlight("all", "", 7), inFlight("each", "ada", 5)
		var holders, most atomic.Int64
		b.crowd(func() {
			for range 20 {
				ticket, taken := b.take(all, each)
				if !taken {
					continue
				}
				n := holders.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				holders.Add(-1)
				b.settle(ticket, 0)
			}
		})
		if most.Load() > 5 {
			t.Errorf("%d held it at once, want at most 5", most.Load())
		}
		b.used(all, 0)
		b.used(each, 0)
	})
}

// crowd runs f many times at once, to the end of all.
func (b bench) crowd(f func()) {
	var wg sync.WaitGroup
	for range crowd {
		wg.Go(f)
	}
	wg.Wait()
}
