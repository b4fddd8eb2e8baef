package redisledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// A decision on five rules and its settlement, each in one round trip to a Redis
// on this machine.
func BenchmarkTakeAndSettle(b *testing.B) {
	s, client := open(b, Options{})
	b.ReportAllocs()
	for b.Loop() {
		tk := everything()
		tk.Claims = tk.Claims[:5]
		for i := range tk.Claims {
			tk.Claims[i].Limit, tk.Claims[i].Actual = 1e13, tk.Claims[i].Cost/2
		}
		mustTake(b, s, tk)
		mustSettle(b, s, tk)
	}
	var calls, micros int
	stats := client.InfoMap(b.Context(), "commandstats").Item("Commandstats", "cmdstat_evalsha")
	if _, err := fmt.Sscanf(stats, "calls=%d,usec=%d", &calls, &micros); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(micros)/float64(calls), "redis-µs/script")
}

// What a client of whom something is taken costs Redis, all overhead of Redis
// included.
func TestBytesPerClient(t *testing.T) {
	const clients = 10_000
	s, client := open(t, Options{Lease: time.Hour})
	used := func() (bytes int64) {
		t.Helper()
		_, err := fmt.Sscan(client.InfoMap(t.Context(), "memory").Item("Memory", "used_memory"), &bytes)
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	for _, c := range []ledger.Claim{claim(requests, second, 3600*second), claim(flights, 1, 5), claim(daily, 1e9, 50e9)} {
		before := used()
		var claims []ledger.Claim
		c.Used, c.At = c.Cost*1000, read(t, s, c)[0].At
		for i := range clients {
			c.Subject.A = fmt.Sprint("client ", i)
			claims = append(claims, c)
			if c.Counter == flights {
				mustTake(t, s, ticket(c))
			}
		}
		if err := s.Raise(t.Context(), claims); err != nil {
			t.Fatal(err)
		}
		per := (used() - before) / clients
		if t.Logf("%s: %d bytes for each client", c.Counter.Name, per); per < 50 || per > 350 {
			t.Errorf("%s: %d bytes for each client", c.Counter.Name, per)
		}
	}
}
