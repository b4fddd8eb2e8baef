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

// A forgetful store lets everything pass and keeps nothing of it.
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

// TestMemoryPerClient has 100,000 clients come once, and weighs what is kept of
// them: while the store is there, what is known of it; while it is not, what it
// has to be told besides.
func TestMemoryPerClient(t *testing.T) {
	const n = 100_000
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("client-%06d", i)
	}
	for name, claim := range map[string]ledger.Claim{
		"requests": {Counter: &ledger.Counter{Name: "each.requests", Kind: ledger.KindRate}, Cost: 1e6, Limit: 3600e6, Unit: 1e6, Actual: 1e6},
		"tokens":   {Counter: &ledger.Counter{Name: "each.tokens", Kind: ledger.KindRate}, Cost: 60e6, Limit: 3600e6, Actual: 30e6},
		"budget":   {Counter: &ledger.Counter{Name: "each.budget", Kind: ledger.KindBudget, Window: ledger.Window{Calendar: ledger.Month}}, Cost: 1e6, Limit: 1e9, Actual: 1e5},
		"flight":   {Counter: &ledger.Counter{Name: "each.flight", Kind: ledger.KindFlight}, Cost: 1, Limit: 5},
	} {
		for _, down := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, down %t", name, down), func(t *testing.T) {
				f := &forgetful{door: door{store: newStore(), name: "r"}}
				l := New(f, Options{Replicas: 1, Probe: time.Hour, Beat: time.Hour})
				defer func() { _ = l.Close(t.Context()) }()
				await(t, "a share", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.share.of == 1 })
				for f.down.Store(down); l.Down() != down; {
					l.Take(t.Context(), &ledger.Ticket{})
				}
				before := heap()
				for _, client := range names {
					claim.Subject.A = client
					tk := &ledger.Ticket{Claims: []ledger.Claim{claim}}
					if !l.Take(t.Context(), tk) {
						t.Fatal("a first request is refused")
					}
					l.Settle(tk)
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
