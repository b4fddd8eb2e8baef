package ledger

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// fiveRules is a ticket of five claims of every kind.
func fiveRules() *Ticket {
	s := Subject{A: "client-000001"}
	t := &Ticket{Claims: []Claim{
		{Counter: &Counter{Name: "each.requests", Kind: KindRate}, Subject: s, Cost: 1, Limit: 1000},
		{Counter: &Counter{Name: "each.tokens", Kind: KindRate}, Subject: s, Cost: 1, Limit: 1000},
		{Counter: &Counter{Name: "all.requests", Kind: KindRate}, Cost: 1, Limit: 1000},
		{Counter: &Counter{Name: "each.in_flight", Kind: KindFlight}, Subject: s, Cost: 1, Limit: 10},
		{Counter: &Counter{Name: "each.budget", Kind: KindBudget, Window: Window{Length: time.Hour}}, Subject: s, Cost: 1, Limit: 1 << 50},
	}}
	for i := range t.Claims {
		t.Claims[i].Actual = t.Claims[i].Cost
	}
	return t
}

func TestADecisionAllocatesNothing(t *testing.T) {
	m, ticket := NewMemory(time.Now), fiveRules()
	got := testing.AllocsPerRun(1000, func() {
		m.Take(ticket)
		m.Settle(ticket)
	})
	if got != 0 {
		t.Errorf("%.0f allocations for a decision and its settlement, want 0", got)
	}
}

// A kept is a claim by which clients are kept in memory, and how long until it
// is taken once more: in another generation, while the first still means
// something, so that both are kept. That is the most that a client ever costs.
type kept struct {
	name  string
	claim Claim
	pause time.Duration
}

func everyKept() []kept {
	return []kept{
		{"a rate", Claim{Counter: &Counter{Name: "rate", Kind: KindRate}, Cost: 20 * second, Limit: 60 * second}, 10 * time.Second},
		{"a day", Claim{Counter: &Counter{Name: "day", Kind: KindBudget, Window: Window{Calendar: Day}}, Cost: 1, Limit: 9}, 10 * time.Second},
	}
}

// clients returns a Memory of so many clients that have each taken twice.
func clients(k kept, names []string) *Memory {
	h := &hand{now: time.Now()}
	m, ticket := NewMemory(h.read), &Ticket{Claims: []Claim{k.claim}}
	for range 2 {
		for _, name := range names {
			ticket.Claims[0].Subject.A = name
			m.Take(ticket)
		}
		h.now = h.now.Add(k.pause)
	}
	return m
}

// bytesPerClient does not count the name, which whoever knows the client has.
func bytesPerClient(k kept) float64 {
	names := make([]string, 100_000)
	for i := range names {
		names[i] = fmt.Sprintf("client-%06d", i)
	}
	before := heap()
	m := clients(k, names)
	bytes := (float64(heap()) - float64(before)) / float64(len(names))
	runtime.KeepAlive(m)
	runtime.KeepAlive(names)
	return bytes
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// It is 147 and 166 bytes with Go 1.26.
func TestAClientCostsLittleMemory(t *testing.T) {
	for _, k := range everyKept() {
		got := bytesPerClient(k)
		if t.Logf("%s: %.0f bytes", k.name, got); got > 200 {
			t.Errorf("%s: %.0f bytes per client, want at most 200", k.name, got)
		}
	}
}

func BenchmarkTakeOfFive(b *testing.B) {
	m, ticket := NewMemory(time.Now), fiveRules()
	b.ReportAllocs()
	for b.Loop() {
		m.Take(ticket)
		m.Settle(ticket)
	}
}

func BenchmarkTakeOfFiveInParallel(b *testing.B) {
	m := NewMemory(time.Now)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		ticket := fiveRules()
		for pb.Next() {
			m.Take(ticket)
			m.Settle(ticket)
		}
	})
}

// BenchmarkMemoryPerClient reports what a client costs.
func BenchmarkMemoryPerClient(b *testing.B) {
	for _, k := range everyKept() {
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(bytesPerClient(k), "bytes/client")
			}
		})
	}
}
