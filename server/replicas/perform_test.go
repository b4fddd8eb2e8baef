package replicas

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// deadline is that of the operations in these tests: far more than the default,
// for the machine is busy with several of these tests at a time, each of them a
// Redis, two relays, an upstream and their clients.
const deadline = 500 * time.Millisecond

// lease is how long a slot is held that nobody gives back.
const lease = 20 * time.Second

// rateBurst is the burst of each client of byRate, and what it gets back a
// second; the others may have so many requests in flight.
const (
	rateBurst = 30
	flights   = 4
)

var byRate = clients[:2]

// A performance is a load through a fault.
type performance struct {
	all                []asked
	hurt, healed, back time.Time
	held               []seen
}

// perform has two relays under load while Redis breaks and comes back.
func perform(t *testing.T, b broken, mode string, lasts time.Duration) performance {
	t.Helper()
	config := configure(t, b.block, serve(t, 100*time.Millisecond).URL, fmt.Sprintf(
		"    store: {deadline: %s, lease: %s}\n    rules:\n"+
			"      rate: {per: client, requests: %d, period: 1s, clients: {cy: {requests: 0}, dee: {requests: 0}}, on_store_down: %[5]s}\n"+
			"      held: {per: client, in_flight: %[4]d, clients: {ada: {in_flight: 0}, bob: {in_flight: 0}}, on_store_down: %[5]s}\n",
		deadline, lease, rateBurst, flights, mode))
	relays := spawn(t, 2, config)
	time.Sleep(8500 * time.Millisecond) // until both know each other: see failover
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	loaded := make(chan []asked)
	go func() {
		l := load{relays: relays, connections: 24, body: question, think: 25 * time.Millisecond}
		loaded <- l.run(ctx, t, time.Hour)
	}()
	watched := watchHolders(t, b.client, 5*time.Millisecond)
	time.Sleep(time.Second)
	var p performance
	p.hurt = time.Now()
	b.hurt()
	time.Sleep(lasts)
	b.heal()
	p.healed = time.Now()
	p.back = awaitShared(t, relays)
	time.Sleep(2 * time.Second)
	stop()
	p.all, p.held = <-loaded, watched()
	p.report(t)
	p.holders(t)
	return p
}

// awaitShared waits until every relay decides by Redis again.
func awaitShared(t *testing.T, relays []*relay) time.Time {
	t.Helper()
	end := time.Now().Add(15 * time.Second)
	for _, r := range relays {
		for {
			mode := one(r).header.Get("X-Relay-Limit-Mode")
			if mode == "shared" {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("a relay is not back: mode %q\n%s", mode, r.log.all())
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return time.Now()
}

// holders fails if more held a slot in Redis than there are, but for what was let
// pass without it: that is told when it is back, and ends within a second.
func (p performance) holders(t *testing.T) {
	t.Helper()
	before := slices.DeleteFunc(slices.Clone(p.held), func(s seen) bool { return s.end.After(p.hurt) })
	after := slices.DeleteFunc(slices.Clone(p.held), func(s seen) bool { return s.begin.Before(p.back.Add(time.Second)) })
	t.Logf("at most %d of %d slots held before, %d over all, %d after", most(before), flights, most(p.held), most(after))
	if n := max(most(before), most(after)); n > flights || most(before) == 0 || most(after) == 0 {
		t.Errorf("%d held a slot at one time before the fault and %d after it, want at most %d, and some", most(before), most(after), flights)
	}
}

// during returns what was sent while Redis was away.
func (p performance) during() []asked {
	return slices.DeleteFunc(slices.Clone(p.all), func(a asked) bool {
		return a.sent.Before(p.hurt) || a.sent.After(p.healed)
	})
}

// modes counts by what was decided during the fault.
func (p performance) modes() map[string]int {
	counts := map[string]int{}
	for _, a := range p.during() {
		counts[a.header.Get("X-Relay-Limit-Mode")]++
	}
	return counts
}

// report tells what the fault cost, and fails on answers that it may not have.
func (p performance) report(t *testing.T) {
	t.Helper()
	for outcome := range tally(p.all) {
		if !strings.HasPrefix(outcome, "200") && !strings.HasPrefix(outcome, "429") {
			t.Errorf("a request came to %q", outcome)
		}
	}
	before := slices.DeleteFunc(slices.Clone(p.all), func(a asked) bool { return a.sent.After(p.hurt) })
	after := slices.DeleteFunc(slices.Clone(p.all), func(a asked) bool { return a.sent.Before(p.back) })
	t.Logf("before %s; during %s, modes %v; back after %s; then %s",
		times(before), times(p.during()), p.modes(), p.back.Sub(p.healed).Round(time.Millisecond), times(after))
	if worst := slices.MaxFunc(p.all, slower); worst.done.Sub(worst.sent) > 5*time.Second+deadline {
		t.Errorf("a request took %s", worst.done.Sub(worst.sent))
	}
}

func slower(a, b asked) int { return cmp.Compare(a.done.Sub(a.sent), b.done.Sub(b.sent)) }

// times tells how long the requests took.
func times(all []asked) string {
	if len(all) == 0 {
		return "nothing"
	}
	all = slices.SortedFunc(slices.Values(all), slower)
	at := func(q float64) time.Duration {
		a := all[int(q*float64(len(all)-1))]
		return a.done.Sub(a.sent).Round(time.Millisecond)
	}
	return fmt.Sprintf("%d requests, p50 %s p99 %s most %s", len(all), at(0.5), at(0.99), at(1))
}
