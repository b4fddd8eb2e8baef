package ledger

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A hand is a clock that is set as a test likes, also back.
type hand struct{ now time.Time }

func (h *hand) read() time.Time { return h.now }

// takeOne takes cost of limit, and returns the claim.
func takeOne(m *Memory, c *Counter, cost, limit int64) (Claim, *Ticket) {
	t := &Ticket{Claims: []Claim{{Counter: c, Cost: cost, Limit: limit, Actual: cost}}}
	m.Take(t)
	return t.Claims[0], t
}

// Who comes with an instant from before the latest, for having waited for the
// lock, is decided on at the latest: 10 a second without a burst let the next
// one through 100ms after the first.
func TestAnInstantOfThePastGivesNothingBack(t *testing.T) {
	start := time.Now()
	h := &hand{now: start}
	m, c := NewMemory(h.read), &Counter{Name: "a", Kind: KindRate}
	for _, tt := range []struct {
		name   string
		millis int
		taken  bool
		wait   int64 // milliseconds
	}{
		{name: "the first", millis: 1000, taken: true},
		{name: "one of before", millis: 910, wait: 100},
		{name: "one of long before", millis: -5000, wait: 100},
		{name: "the next", millis: 1010, wait: 90},
		{name: "the last that is too early", millis: 1099, wait: 1},
		{name: "the first that is not", millis: 1100, taken: true},
	} {
		h.now = start.Add(time.Duration(tt.millis) * time.Millisecond)
		if got, _ := takeOne(m, c, second/10, second/10); got.Taken != tt.taken || got.Wait != tt.wait*1000 {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// However late goroutines come with what they have read of a clock, from the
// first instant to the last no more than the rate passes.
func TestOldInstantsNeverBeatTheRate(t *testing.T) {
	const interval, depth = 1000, 10_000
	var clock, taken atomic.Int64
	start := time.Now()
	m := NewMemory(func() time.Time {
		// Up to 50ms in the queue for the lock.
		return start.Add(time.Duration(max(clock.Load()-rand.Int64N(50_000), 0)) * time.Microsecond)
	})
	c := &Counter{Name: "a", Kind: KindRate}
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 500 {
				clock.Add(rand.Int64N(200))
				if got, _ := takeOne(m, c, interval, depth); got.Taken {
					taken.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if most := (depth + clock.Load()) / interval; taken.Load() > most || taken.Load() < depth/interval {
		t.Errorf("%d passed, want at least the burst and at most %d", taken.Load(), most)
	}
}

// Setting the clock of the machine changes the wall clock and not the monotonic
// one: buckets do not move, the day is the new one.
func TestTheCalendarFollowsTheWallClock(t *testing.T) {
	steady := instant{steady: 1_000_000 * second}
	rolling, daily := Window{Length: time.Hour}, Window{Calendar: Day}
	steady.wall = 2_000_000 * second
	if steady.of(rolling) != steady.steady || steady.of(daily) != steady.wall {
		t.Errorf("rolling by %d, daily by %d", steady.of(rolling), steady.of(daily))
	}
	start := time.Now() // with a monotonic reading, which Round removes
	c := clock{now: func() time.Time { return start.Add(time.Minute) }, start: start}
	if got := c.read(); got.steady != start.UnixMicro()+60*second || got.wall != start.Add(time.Minute).UnixMicro() {
		t.Errorf("%+v", got)
	}
	c.now = func() time.Time { return start.Add(time.Hour).Round(0) } // without one
	if got := c.read(); got.wall != start.Add(time.Hour).UnixMicro() {
		t.Errorf("%+v", got)
	}
}

// A clock that is set back over midnight finds what was spent before it, and
// what was settled of it since.
func TestABudgetOfYesterdayIsRemembered(t *testing.T) {
	midnight := time.Date(2027, time.March, 11, 0, 0, 0, 0, time.UTC)
	h := &hand{now: midnight.Add(-time.Second)}
	m, c := NewMemory(h.read), &Counter{Name: "a", Kind: KindBudget, Window: Window{Calendar: Day}}
	_, ticket := takeOne(m, c, 6, 10)
	h.now = midnight.Add(59 * time.Minute)
	if got, _ := takeOne(m, c, 7, 10); !got.Taken || got.Used != 7 {
		t.Fatalf("on the next day: %+v", got)
	}
	ticket.Claims[0].Actual = 8
	m.Settle(ticket)
	h.now = midnight.Add(-time.Second)
	if got, _ := takeOne(m, c, 3, 10); got.Taken || got.Used != 8 {
		t.Errorf("after the clock was set back: %+v", got)
	}
	h.now = midnight.Add(61 * time.Minute)
	takeOne(m, c, 1, 10)
	if n := len(m.budgets["a"].get(Subject{}).slices); n != 1 {
		t.Errorf("after an hour %d days are kept", n)
	}
}
