package redisledger

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/internal/redistest"
)

// proxied is a store behind a proxy; its scripts are known and its clock is set.
func proxied(t *testing.T) (*Store, *redistest.Server, *redistest.Proxy) {
	t.Helper()
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	s := New(clientOf(t, proxy.Addr()), Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 2 { // the first finds no scripts
		tk := everything()
		if taken, err := s.Take(ctx, tk); !taken || err != nil {
			t.Fatal(taken, err)
		}
		mustSettle(t, s, tk)
	}
	// go-redis keeps other connections for pipelines.
	if err := s.Reset(ctx, everything().Claims); err != nil {
		t.Fatal(err)
	}
	proxy.Reset()
	return s, server, proxy
}

func TestRoundTrips(t *testing.T) {
	s, _, proxy := proxied(t)
	trips := func(what string, want int) {
		t.Helper()
		if got := proxy.RoundTrips(); got != want {
			t.Errorf("%s takes %d round trips, want %d: %v", what, got, want, proxy.ByName())
		}
		proxy.Reset()
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var open []*ledger.Ticket
	for range 3 {
		tk := everything()
		if taken, err := s.Take(ctx, tk); !taken || err != nil {
			t.Fatal(taken, err)
		}
		trips("a decision on six claims", 1)
		open = append(open, tk)
	}
	full := everything()
	full.Claims[2].Limit = 3
	mustRefuse(t, s, full)
	trips("a refusal", 1)
	mustSettle(t, s, open[0])
	trips("a settlement", 1)
	mustSettle(t, s, open[1], open[2])
	trips("the settlement of two tickets", 1)
	nothing := ticket(claim(tokens, 5, 60*second))
	mustTake(t, s, nothing)
	proxy.Reset()
	mustSettle(t, s, nothing)
	trips("a settlement that changes nothing", 0)
	read(t, s, everything().Claims...)
	trips("a look at six counters", 1)
	if _, err := s.Beat(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
}

func TestATakeThatArrivesTooLateDoesNothing(t *testing.T) {
	tests := []struct {
		name        string
		freeze, end func(*redistest.Server, *redistest.Proxy)
	}{
		{
			"a frozen Redis",
			func(s *redistest.Server, _ *redistest.Proxy) { s.Pause() },
			func(s *redistest.Server, _ *redistest.Proxy) { s.Resume() },
		},
		{
			"a hole in the network",
			func(_ *redistest.Server, p *redistest.Proxy) { p.Blackhole() },
			func(_ *redistest.Server, p *redistest.Proxy) { p.Heal() },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, server, proxy := proxied(t)
			tt.freeze(server, proxy)
			for range 5 {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				if _, err := s.Take(ctx, everything()); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a take of what does not answer: %v", err)
				}
				cancel()
			}
			tt.end(server, proxy)
			redis := server.Client()
			for i, c := range read(t, New(redis, Options{}), everything().Claims...) {
				if c.Used != 0 {
					t.Errorf("claim %d was taken too late: %+v", i, c)
				}
			}
			mustTake(t, s, everything())
		})
	}
}

// A renewal that was given up, and arrives after its flight was let go, holds
// nothing again.
func TestARenewalThatArrivesTooLateDoesNothing(t *testing.T) {
	s, server, proxy := proxied(t)
	direct := New(server.Client(), s.opts)
	tk := ticket(claim(flights, 1, 1))
	mustTake(t, s, tk)
	renew := []ledger.Held{{Counter: flights, Subject: tk.Claims[0].Subject, Leases: []uint64{tk.Lease}}}
	if err := s.Renew(t.Context(), renew); err != nil { // the script is known
		t.Fatal(err)
	}
	proxy.Blackhole()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Renew(ctx, renew); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a renewal by what does not answer: %v", err)
	}
	mustSettle(t, direct, tk)
	if err := server.Client().ConfigResetStat(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	proxy.Heal()
	arrived := func() bool {
		return strings.Contains(server.Client().Info(t.Context(), "commandstats").Val(), "cmdstat_evalsha:")
	}
	for begin := time.Now(); !arrived(); time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatal("the renewal never arrived")
		}
	}
	if got := read(t, direct, claim(flights, 1, 1))[0].Used; got != 0 {
		t.Errorf("%d are held by nobody", got)
	}
}

// The clock that nothing is known of, or that has gone on, makes no renewal too
// late that is not.
func TestARenewalLearnsTheClock(t *testing.T) {
	for name, off := range map[string]int64{"it was not known": 0, "it has gone on": -600 * second} {
		s, _, proxy := proxied(t)
		if off == 0 {
			s.clocks = map[string]*clock{}
		} else {
			s.clocks[""].ahead += off
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var held []ledger.Held
		for i := range 3 {
			held = append(held, ledger.Held{Counter: flights, Subject: ledger.Subject{A: "alice"}, Leases: []uint64{uint64(100 + i)}})
		}
		for _, want := range []int{3, 1} { // the first sends the script too
			if err := s.Renew(ctx, held); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := proxy.RoundTrips(); got != want {
				t.Errorf("%s: %d round trips, want %d", name, got, want)
			}
			proxy.Reset()
		}
		if got := read(t, s, claim(flights, 1, 9))[0].Used; got != 3 {
			t.Errorf("%s: %d are held, want 3", name, got)
		}
	}
}

func TestAClockThatHasGoneOnIsAskedOnceMore(t *testing.T) {
	s, _, proxy := proxied(t)
	s.clocks[""].ahead -= 10 * 60 * second
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, want := range []int{2, 1} {
		if taken, err := s.Take(ctx, ticket(claim(flights, 1, 2))); err != nil || !taken {
			t.Fatal(taken, err)
		}
		if got := proxy.RoundTrips(); got != want {
			t.Errorf("%d round trips, want %d", got, want)
		}
		proxy.Reset()
	}
	if got := read(t, s, claim(flights, 1, 2))[0].Used; got != 2 {
		t.Errorf("%d are held by two tickets", got)
	}
}

// A Redis that is full refuses what is new. What is held is given back all the
// same, or it would be held until its lease ends.
func TestAFullRedisTakesNothingAndSettles(t *testing.T) {
	s, client := open(t, Options{})
	held := everything()
	mustTake(t, s, held)
	memory := func(limit string) {
		t.Helper()
		if err := client.ConfigSet(t.Context(), "maxmemory", limit).Err(); err != nil {
			t.Fatal(err)
		}
	}
	memory("1")
	for _, c := range everything().Claims {
		if taken, err := s.Take(t.Context(), ticket(c)); taken || err == nil {
			t.Errorf("%s: taken %t, error %v of a full Redis", c.Counter.Name, taken, err)
		}
	}
	if _, err := s.Beat(t.Context(), time.Minute); err == nil {
		t.Error("a full Redis says that it can be asked")
	}
	held.Claims[1].Actual = 20 * second
	mustSettle(t, s, held)
	memory("0")
	want := []int64{10 * second, 20 * second, 0, 1e9, 1e9, 1e9}
	for i, c := range read(t, s, everything().Claims...) {
		if c.Used > want[i] || c.Used < want[i]-9*second {
			t.Errorf("%s stands at %d, want %d", c.Counter.Name, c.Used, want[i])
		}
	}
}

func TestABrokenConnectionDoesNothingTwice(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), MaxRetries: 3, ContextTimeoutEnabled: true})
	defer func() { _ = client.Close() }()
	s := New(client, Options{})
	held, other := everything(), everything()
	mustTake(t, s, held)
	mustTake(t, s, other)
	held.Claims[0].Actual, other.Claims[0].Actual = 0, 0
	tests := []struct {
		name     string
		commands int
		ask      func() error
	}{
		{"a take", 1, func() error { _, err := s.Take(t.Context(), everything()); return err }},
		{"a settlement", 1, func() error { return s.Settle(t.Context(), []*ledger.Ticket{held}) }},
		{"settlements", 2, func() error { return s.Settle(t.Context(), []*ledger.Ticket{held, other}) }},
	}
	for _, tt := range tests {
		read(t, s, claim(flights, 1, 1)) // opens a connection
		if err := s.Reset(t.Context(), []ledger.Claim{{Counter: flights}}); err != nil {
			t.Fatal(err) // opens one for pipelines
		}
		proxy.Reset()
		server.Pause()
		done := make(chan error)
		go func() { done <- tt.ask() }()
		for start := time.Now(); proxy.Commands("EVALSHA") == 0 && time.Since(start) < 10*time.Second; {
			time.Sleep(time.Millisecond)
		}
		proxy.Cut()
		server.Resume()
		if err := <-done; err == nil {
			t.Errorf("%s over a broken connection has an answer", tt.name)
		}
		if got := proxy.Commands("EVALSHA"); got != tt.commands {
			t.Errorf("%s was sent again: %v", tt.name, proxy.ByName())
		}
	}
}
