package limit

import (
	"sync"
	"time"

	"github.com/holysheep/relay/internal/gcra"
)

// store is where requests are decided on. One lock makes a decision over all
// rules one step; it also guards the flights of every rule.
type store struct {
	now   func() time.Time
	mu    sync.Mutex
	rates *gcra.Memory
}

func newStore(now func() time.Time) *store { return &store{now: now, rates: gcra.NewMemory(now())} }

// flights are the requests in flight of one rule, by key. A key without any
// has no entry.
type flights struct{ by map[string]int64 }

func (f *flights) add(key string, n int64) {
	if f.by == nil {
		f.by = map[string]int64{}
	}
	if f.by[key] += n; f.by[key] == 0 {
		delete(f.by, key)
	}
}

// take decides on one request of client: it takes from all of the rules or from
// none. hint stands for the time until a slot is free. The clock is read under
// the lock, so that a request which had to wait for that is told the time from
// then on.
func (s *store) take(rules []*rule, client string, hint time.Duration) decision {
	var few [8]gcra.Claim // as many as cost no allocation
	claims := few[:0]
	for _, r := range rules {
		if r.buckets != nil {
			claims = append(claims, gcra.Claim{Buckets: r.buckets, Key: r.key(client), N: 1})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	flight := tightest(rules, client, hint)
	if flight.wait > 0 {
		s.rates.Peek(s.now(), claims)
	} else if s.rates.Take(s.now(), claims) {
		for _, r := range rules {
			if r.flights != nil {
				r.flights.add(r.key(client), 1)
			}
		}
		flight.remaining--
	}
	return decision{rate: slowest(rules, claims), flight: flight}
}

// tightest returns the standing with the limit in flight that has the fewest
// slots left. The store is locked.
func tightest(rules []*rule, client string, hint time.Duration) (most standing) {
	for _, r := range rules {
		if r.InFlight == 0 {
			continue
		}
		s := standing{rule: r, limit: r.InFlight, remaining: r.InFlight - r.flights.by[r.key(client)], reset: hint}
		if s.remaining <= 0 { // less than none: the limit was lowered
			s.remaining, s.wait = 0, hint
		}
		if most.rule == nil || s.presses(most) {
			most = s
		}
	}
	return most
}

// begin has the buckets fill as rules say, for all generations: what an older
// one still decides on goes by the new numbers.
func (s *store) begin(rules []*rule) {
	for _, r := range rules {
		if r.buckets != nil {
			s.rates.SetRate(s.now(), r.buckets, r.rate)
		}
	}
}

// release gives back what a request that was let through held.
func (s *store) release(rules []*rule, client string) {
	s.mu.Lock()
	for _, r := range rules {
		if r.flights != nil {
			r.flights.add(r.key(client), -1)
		}
	}
	s.mu.Unlock()
	for _, r := range rules {
		if r.flights != nil {
			r.inFlight().Dec()
		}
	}
}
