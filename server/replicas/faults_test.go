package replicas

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/redistest"
)

// deadline is that of the operations in these tests: more than the default, for
// the machine is busy with a Redis, two relays, an upstream and their clients.
const deadline = 200 * time.Millisecond

// lease is how long a slot is held that nobody gives back.
const lease = 10 * time.Second

// A broken is a Redis that breaks and comes back.
type broken struct {
	block      string // of the configuration
	client     redis.UniversalClient
	hurt, heal func()
}

// faults are what may happen to a Redis. Those that are short do not keep it
// from answering within the deadline for more than a moment.
var faults = []struct {
	name  string
	lasts time.Duration
	short bool
	open  func(t *testing.T) broken
}{
	{"frozen", 10 * time.Second, false, func(t *testing.T) broken {
		s := redistest.Start(t)
		return single(s, s.Addr(), s.Pause, s.Resume)
	}},
	{"killed and empty", 3 * time.Second, false, func(t *testing.T) broken {
		s := redistest.Start(t)
		return single(s, s.Addr(), s.Kill, s.Restart)
	}},
	{"killed, with its data", 3 * time.Second, false, func(t *testing.T) broken {
		s := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
		return single(s, s.Addr(), s.Kill, s.Restart)
	}},
	{"slow", 3 * time.Second, false, func(t *testing.T) broken {
		s := redistest.Start(t)
		p := redistest.StartProxy(t, s.Addr())
		return single(s, p.Addr(), func() { p.SetDelay(4 * deadline) }, p.Heal)
	}},
	{"a hole", 3 * time.Second, false, func(t *testing.T) broken {
		s := redistest.Start(t)
		p := redistest.StartProxy(t, s.Addr())
		return single(s, p.Addr(), p.Blackhole, p.Heal)
	}},
	{"refused", 3 * time.Second, false, func(t *testing.T) broken {
		s := redistest.Start(t)
		p := redistest.StartProxy(t, s.Addr())
		return single(s, p.Addr(), p.Refuse, p.Heal)
	}},
	{"cut", time.Second, true, func(t *testing.T) broken {
		s := redistest.Start(t)
		p := redistest.StartProxy(t, s.Addr())
		return single(s, p.Addr(), p.Cut, p.Heal)
	}},
	{"scripts flushed", time.Second, true, func(t *testing.T) broken {
		s := redistest.Start(t)
		return single(s, s.Addr(), func() { s.Client().ScriptFlush(t.Context()) }, func() {})
	}},
	{"full", 3 * time.Second, false, func(t *testing.T) broken {
		s := redistest.Start(t, "--maxmemory-policy", "noeviction")
		set := func(max string) func() { return func() { s.Client().ConfigSet(t.Context(), "maxmemory", max) } }
		return single(s, s.Addr(), set("1mb"), set("0"))
	}},
	{"failed over", time.Second, true, func(t *testing.T) broken {
		s := redistest.StartSentinel(t)
		return broken{
			block:  fmt.Sprintf("redis: {addresses: [%q], sentinel: {master: %s}}", s.Addrs()[0], redistest.MasterName),
			client: s.Client(), hurt: s.Failover, heal: func() {},
		}
	}},
	{"master killed", 5 * time.Second, false, func(t *testing.T) broken {
		s := redistest.StartSentinel(t)
		var next *redistest.Server
		return broken{
			block:  fmt.Sprintf("redis: {addresses: [%q], sentinel: {master: %s}}", s.Addrs()[0], redistest.MasterName),
			client: s.Client(),
			hurt:   func() { next = s.Other(s.Master()); s.Master().Kill() }, heal: func() { s.AwaitMaster(next) },
		}
	}},
	{"a slot moved", time.Second, true, func(t *testing.T) broken {
		c := redistest.StartCluster(t)
		slot := c.Slot("{limit}")
		m := c.Move(slot, c.Next(c.Owner(slot)))
		return broken{
			block:  fmt.Sprintf("redis: {addresses: [%q, %q, %q]}", c.Addrs()[0], c.Addrs()[1], c.Addrs()[2]),
			client: c.Client(), hurt: func() { m.Begin(); m.Copy(2) },
			heal: func() {
				for m.Copy(100) > 0 {
				}
				m.End()
			},
		}
	}},
}

func single(s *redistest.Server, addr string, hurt, heal func()) broken {
	return broken{block: fmt.Sprintf("redis: {addresses: [%q]}", addr), client: s.Client(), hurt: hurt, heal: heal}
}

// Whatever happens to Redis, no client gets a 5xx for it, no request waits long,
// and a rule whose mode is local is held, but for a burst at each boundary.
func TestFaultsOfRedis(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			b := f.open(t)
			p := perform(t, b, "local", f.lasts)
			exact(t, "ada", passed(p.all, "ada"), 3*rateBurst, time.Second/rateBurst)
			if n := len(passed(p.during(), "")); n == 0 {
				t.Errorf("nothing passed during the fault")
			}
			if got := p.modes(); !f.short && got["local"] == 0 {
				t.Errorf("the modes during the fault were %v, want local among them", got)
			}
			released(t, b.client)
		})
	}
}

// A rule that is open lets everything pass while Redis is away, and one that is
// closed nothing.
func TestOpenAndClosed(t *testing.T) {
	for _, mode := range []string{"open", "closed"} {
		t.Run(mode, func(t *testing.T) {
			s := redistest.Start(t)
			b := single(s, s.Addr(), s.Pause, s.Resume)
			p := perform(t, b, mode, 3*time.Second)
			late := slices.DeleteFunc(p.during(), func(a asked) bool { return a.sent.Before(p.hurt.Add(time.Second)) })
			got := tally(late)
			want := map[string]string{"open": "200", "closed": "429 limits_unavailable"}[mode]
			if len(got) != 1 || got[want] == 0 {
				t.Errorf("while Redis was frozen: %v, want %s only", got, want)
			}
			released(t, b.client)
		})
	}
}

// rateBurst is the burst of each client, and what it gets back a second.
const rateBurst = 30

// A performance is a load through a fault.
type performance struct {
	all                []asked
	hurt, healed, back time.Time
}

// perform has two relays under load while Redis breaks and comes back.
func perform(t *testing.T, b broken, mode string, lasts time.Duration) performance {
	t.Helper()
	config := configure(t, b.block, serve(t, 40*time.Millisecond).URL, fmt.Sprintf(
		"    store: {deadline: %s, lease: %s}\n    rules:\n      each: {per: client, requests: %d, period: 1s, burst: %[3]d, in_flight: 8, on_store_down: %[4]s}\n",
		deadline, lease, rateBurst, mode))
	relays := spawn(t, 2, config)
	time.Sleep(8 * time.Second) // until both know each other: see failover
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	loaded := make(chan []asked)
	go func() {
		l := load{relays: relays, connections: 40, body: question, think: 20 * time.Millisecond}
		loaded <- l.run(ctx, t, time.Hour)
	}()
	time.Sleep(time.Second)
	var p performance
	p.hurt = time.Now()
	b.hurt()
	time.Sleep(lasts)
	b.heal()
	p.healed = time.Now()
	p.back = awaitShared(t, relays)
	time.Sleep(time.Second)
	stop()
	p.all = <-loaded
	p.report(t)
	return p
}

// awaitShared waits until every relay decides by Redis again.
func awaitShared(t *testing.T, relays []*relay) time.Time {
	t.Helper()
	end := time.Now().Add(30 * time.Second)
	for _, r := range relays {
		for {
			a := load{relays: []*relay{r}, body: question}.ask(http.DefaultTransport, 0)
			if a.header.Get("X-Relay-Limit-Mode") == "shared" {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("a relay is not back: mode %q\n%s", a.header.Get("X-Relay-Limit-Mode"), r.log.all())
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return time.Now()
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
	if worst := slices.MaxFunc(p.all, slower); worst.done.Sub(worst.sent) > 20*deadline {
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
