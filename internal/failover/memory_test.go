package failover

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// perClientBytes is the most that a client may cost a relay that has seen
// 100,000 of them, for each limit of a rule, without its name.
const perClientBytes = 200

// A forgetful store lets everything pass and keeps nothing of it, so that what
// is weighed is the ledger's.
type forgetful struct {
	door
	down atomic.Bool
}

func (f *forgetful) Take(_ context.Context, t *ledger.Ticket) (bool, error) {
	if f.down.Load() {
		return false, errBroken
	}
	now := time.Now().UnixMicro()
	for i := range t.Claims {
		c := &t.Claims[i]
		c.Mode, c.Taken, c.Used, c.At = ledger.ModeShared, true, c.Cost, now
		if c.Counter.Kind == ledger.KindBudget {
			c.At = c.Counter.Window.Slice(now)
		}
	}
	return true, nil
}

func (f *forgetful) Settle(context.Context, []*ledger.Ticket) error { return nil }

// forgetting returns a ledger over a forgetful store, which is down or not, once
// the ledger knows. It neither beats nor probes in the time of a test, and its
// clock stands still: on a slow machine a test would last for longer than one
// generation of what [ledger.Memory] knows, and who comes twice then costs more.
func forgetting(t *testing.T, down bool) *Ledger {
	t.Helper()
	f := &forgetful{door: door{store: newStore(), name: "r"}}
	now := time.Now()
	l := New(f, Options{Replicas: 1, Probe: time.Hour, Beat: time.Hour, Now: func() time.Time { return now }})
	t.Cleanup(func() { _ = l.Close(context.Background()) })
	await(t, "a share", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.share.of == 1 })
	for f.down.Store(down); l.Down() != down; {
		l.Take(t.Context(), &ledger.Ticket{})
	}
	return l
}

// everyClaim is a claim of each kind, by its name.
func everyClaim() map[string]ledger.Claim {
	return map[string]ledger.Claim{
		"requests": {Counter: &ledger.Counter{Name: "each.requests", Kind: ledger.KindRate}, Cost: second, Limit: 3600 * second, Unit: second, Actual: second},
		"tokens":   {Counter: &ledger.Counter{Name: "each.tokens", Kind: ledger.KindRate}, Cost: 60 * second, Limit: 3600 * second, Actual: 30 * second},
		"budget":   {Counter: &ledger.Counter{Name: "each.budget", Kind: ledger.KindBudget, Window: ledger.Window{Calendar: ledger.Month}}, Cost: 1e6, Limit: 1e9, Actual: 1e5},
		"flight":   {Counter: &ledger.Counter{Name: "each.flight", Kind: ledger.KindFlight}, Cost: 1, Limit: 5},
	}
}

// TestMemoryPerClient has 100,000 clients come, and weighs what is kept of them:
// while the store is there, what is known of it, and how it was at the latest
// beat of those who came before; while it is not, what it has to be told besides.
func TestMemoryPerClient(t *testing.T) {
	const n = 100_000
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("client-%06d", i)
	}
	for name, claim := range everyClaim() {
		for _, tt := range []struct {
			name  string
			down  bool
			times int
		}{{"the store is there", false, 1}, {"it is, and each comes twice", false, 2}, {"it is down", true, 2}} {
			t.Run(name+", "+tt.name, func(t *testing.T) {
				l := forgetting(t, tt.down)
				before := heap()
				for range tt.times {
					for _, client := range names {
						claim.Subject.A = client
						tk := &ledger.Ticket{Claims: []ledger.Claim{claim}}
						if !l.Take(t.Context(), tk) {
							t.Fatal("a request is refused")
						}
						l.Settle(tk)
					}
				}
				await(t, "all is settled", func() bool { return l.backlog() == 0 })
				each := (heap() - before) / n
				t.Logf("%d bytes a client", each)
				if each > perClientBytes {
					t.Errorf("a client costs %d bytes, want at most %d", each, perClientBytes)
				}
				runtime.KeepAlive(l)
			})
		}
	}
}

// heap returns how many bytes are in use. What is pooled is free after the
// second collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestADecisionOfTheStoreAllocatesLittle: what is allocated is the deadline, and
// nothing by what is known, be the buckets full, known or not known.
func TestADecisionOfTheStoreAllocatesLittle(t *testing.T) {
	const most = 5 // the context with its timer and what is asked under it
	for name, claim := range everyClaim() {
		for _, full := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, full %t", name, full), func(t *testing.T) {
				l := forgetting(t, false)
				if claim.Counter.Kind != ledger.KindFlight && full {
					claim.Cost, claim.Actual = 0, 0
				}
				tk := &ledger.Ticket{Claims: []ledger.Claim{claim}}
				got := testing.AllocsPerRun(1000, func() {
					l.Take(t.Context(), tk)
					l.mu.Lock()
					delete(l.held, tk.Lease)
					l.mu.Unlock()
				})
				if t.Logf("%.0f allocations", got); got > most {
					t.Errorf("%.0f allocations, want at most %d", got, most)
				}
			})
		}
	}
}
