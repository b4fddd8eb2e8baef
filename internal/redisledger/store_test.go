package redisledger

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// second is 1s in the unit of rates.
const second = int64(time.Second / time.Microsecond)

var (
	requests = &ledger.Counter{Name: "each.requests", Kind: ledger.KindRate, OfClient: true}
	tokens   = &ledger.Counter{Name: "all.tokens", Kind: ledger.KindRate}
	flights  = &ledger.Counter{Name: "each.in_flight", Kind: ledger.KindFlight, OfClient: true}
	daily    = &ledger.Counter{Name: "each.budget", Kind: ledger.KindBudget, OfClient: true, Window: ledger.Window{Calendar: ledger.Day}}
	monthly  = &ledger.Counter{Name: "model.budget", Kind: ledger.KindBudget, Window: ledger.Window{Calendar: ledger.Month}}
	rolling  = &ledger.Counter{Name: "hour.budget", Kind: ledger.KindBudget, Window: ledger.Window{Length: time.Hour}}
)

// claim is one of alice's, or of everybody if the counter is not of clients.
func claim(c *ledger.Counter, cost, limit int64) ledger.Claim {
	one := ledger.Claim{Counter: c, Cost: cost, Limit: limit, Actual: cost}
	if c.OfClient {
		one.Subject.A = "alice"
	}
	return one
}

func ticket(claims ...ledger.Claim) *ledger.Ticket { return &ledger.Ticket{Claims: claims} }

// everything is a ticket of each kind that has room in an empty Redis.
func everything() *ledger.Ticket {
	return ticket(claim(requests, 10*second, 60*second), claim(tokens, 10*second, 60*second), claim(flights, 1, 3),
		claim(daily, 1e9, 50e9), claim(monthly, 1e9, 500e9), claim(rolling, 1e9, 5e9))
}

// clientOf is a client as the relay has it: it obeys deadlines and sends nothing
// twice.
func clientOf(t testing.TB, addr string) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{
		Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true, PoolSize: 20,
		PoolTimeout: 30 * time.Second,
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func open(t testing.TB, opts Options) (*Store, *redis.Client) {
	t.Helper()
	client := clientOf(t, redistest.Start(t).Addr())
	opts.Prefix = "test:"
	return New(client, opts), client
}

func mustTake(t testing.TB, s *Store, tk *ledger.Ticket) {
	t.Helper()
	if taken, err := s.Take(t.Context(), tk); err != nil || !taken {
		t.Fatalf("taken %t, error %v, want it taken: %+v", taken, err, tk.Claims)
	}
}

func mustRefuse(t testing.TB, s *Store, tk *ledger.Ticket) {
	t.Helper()
	if taken, err := s.Take(t.Context(), tk); err != nil || taken {
		t.Fatalf("taken %t, error %v, want it refused: %+v", taken, err, tk.Claims)
	}
}

func mustSettle(t testing.TB, s *Store, tickets ...*ledger.Ticket) {
	t.Helper()
	if err := s.Settle(t.Context(), tickets); err != nil {
		t.Fatal(err)
	}
}

// read returns how claims stand.
func read(t testing.TB, s *Store, claims ...ledger.Claim) []ledger.Claim {
	t.Helper()
	if err := s.Read(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func keys(t testing.TB, c *redis.Client) []string {
	t.Helper()
	all, err := c.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestATicketIsTakenWholeOrNotAtAll(t *testing.T) {
	s, client := open(t, Options{})
	full := everything()
	full.Claims[5].Cost = 6e9 // more than the limit
	mustRefuse(t, s, full)
	if got := keys(t, client); len(got) != 0 {
		t.Errorf("a refused ticket left %q", got)
	}
	if got := full.Claims[5].Wait; got != ledger.Never {
		t.Errorf("the wait for more than the limit is %d", got)
	}
	mustTake(t, s, everything())
	for i, c := range read(t, s, everything().Claims...) {
		if c.Used <= 0 || c.Mode != ledger.ModeShared {
			t.Errorf("claim %d after it was taken: %+v", i, c)
		}
	}
}

func TestASettledTicketLeavesNothingThatItDidNotUse(t *testing.T) {
	s, client := open(t, Options{Clock: func() int64 { return 1_754_300_000_000_000 }})
	tk := everything()
	mustTake(t, s, tk)
	for i := range tk.Claims {
		tk.Claims[i].Actual = 0
	}
	mustSettle(t, s, tk)
	for i, c := range read(t, s, everything().Claims...) {
		if c.Used != 0 || c.Wait != 0 {
			t.Errorf("claim %d after its settlement: %+v", i, c)
		}
	}
	if left := keys(t, client); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}

func TestASettlementIsDoneOnce(t *testing.T) {
	s, _ := open(t, Options{})
	tk := ticket(claim(rolling, 1e9, 5e9))
	mustTake(t, s, tk)
	tk.Claims[0].Actual = 3e9
	mustSettle(t, s, tk)
	mustSettle(t, s, tk) // as after an error that concerned other tickets
	if got := read(t, s, claim(rolling, 0, 5e9))[0].Used; got != 3e9 {
		t.Errorf("%d is spent, want 3e9", got)
	}
}

func TestScriptsAreSentAgain(t *testing.T) {
	s, client := open(t, Options{})
	flush := func() {
		if err := client.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	flush()
	a, b := ticket(claim(flights, 1, 2)), ticket(claim(flights, 1, 2))
	mustTake(t, s, a)
	mustTake(t, s, b)
	flush()
	mustSettle(t, s, a, b)
	flush()
	mustTake(t, s, ticket(claim(flights, 1, 1)))
	flush()
	if _, err := s.Beat(t.Context(), time.Minute); err != nil {
		t.Error(err)
	}
}

func TestErrorsSayWhatWasAskedAndOfContextsWhy(t *testing.T) {
	server := redistest.Start(t)
	s := New(clientOf(t, server.Addr()), Options{})
	mustTake(t, s, everything())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Take(gone, everything())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a take whose context has ended: %v", err)
	}
	server.Pause()
	defer server.Resume()
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = s.Take(short, ticket(claim(flights, 1, 2)))
	const want = "redis: taking each.in_flight: context deadline exceeded: "
	if !errors.Is(err, context.DeadlineExceeded) || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
		t.Errorf("a take of a frozen Redis: %v", err)
	}
}
