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

// clients returns a Memory of so many clients that have each taken twice, in
// two generations: both are kept then, the most that a client ever costs.
func clients(n int) *Memory {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("client-%06d", i)
	}
	h := &hand{now: time.Now()}
	m, c := NewMemory(h.read), &Counter{Name: "each.requests", Kind: KindRate}
	for range 2 {
		ticket := &Ticket{Claims: []Claim{{Counter: c, Cost: 20 * second, Limit: 60 * second}}}
		for _, name := range names {
			ticket.Claims[0].Subject.A = name
			m.Take(ticket)
		}
		h.now = h.now.Add(10 * time.Second)
	}
	return m
}

func bytesPerClient() float64 {
	before := heap()
	m := clients(100_000)
	bytes := (float64(heap()) - float64(before)) / 100_000
	runtime.KeepAlive(m)
	return bytes
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// It is 163 bytes with Go 1.26, its name of 16 included.
func TestAClientCostsLittleMemory(t *testing.T) {
	if got := bytesPerClient(); got > 200 {
		t.Errorf("%.0f bytes per client, want at most 200", got)
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

// BenchmarkMemoryPerClient reports what a client costs that a rule counts the
// requests of.
func BenchmarkMemoryPerClient(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(bytesPerClient(), "bytes/client")
	}
}
