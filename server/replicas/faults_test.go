package replicas

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/redistest"
)

// A broken is a Redis that breaks and comes back.
type broken struct {
	block      string // of the configuration
	client     redis.UniversalClient
	hurt, heal func()
}

// A fault is something that may happen to a Redis. One that is short does not
// keep it from answering within the deadline for more than a moment.
type fault struct {
	name  string
	lasts time.Duration
	short bool
	loses bool // what was written last may be gone
	open  func(t *testing.T) broken
}

var faults = []fault{
	{"frozen", 10 * time.Second, false, false, func(t *testing.T) broken {
		t.Helper()
		s := redistest.Start(t)
		return single(s, s.Addr(), s.Pause, s.Resume)
	}},
	{"killed and empty", 3 * time.Second, false, false, func(t *testing.T) broken {
		t.Helper()
		s := redistest.Start(t)
		return single(s, s.Addr(), s.Kill, s.Restart)
	}},
	{"killed, with its data", 3 * time.Second, false, false, func(t *testing.T) broken {
		t.Helper()
		s := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
		return single(s, s.Addr(), s.Kill, s.Restart)
	}},
	{"slow", 3 * time.Second, false, false, func(t *testing.T) broken {
		t.Helper()
		s := redistest.Start(t)
		p := redistest.StartProxy(t, s.Addr())
		return single(s, p.Addr(), func() { p.SetDelay(4 * deadline) }, p.Heal)
	}},
	{"a hole", 3 * time.Second, false, false, func(t *testing.T) broken {
		t.Helper()
		s := redistest.Start(t)
		p := redistest.StartProxy(t, s.Addr())
		return single(s, p.Addr(), p.Blackhole, p.Heal)
	}},
	{"refused", 3 * time.Second, false, false, func(t *testing.T) broken {
		t.Helper()
		s := redistest.Start(t)
		p := redistest.StartProxy(t, s.Addr())
		return single(s, p.Addr(), p.Refuse, p.Heal)
	}},
	{"cut", time.Second, true, false, func(t *testing.T) broken {
		t.Helper()
		s := redistest.Start(t)
		p := redistest.StartProxy(t, s.Addr())
		return single(s, p.Addr(), p.Cut, p.Heal)
	}},
	{"scripts flushed", time.Second, true, false, func(t *testing.T) broken {
		t.Helper()
		s := redistest.Start(t)
		return single(s, s.Addr(), func() { s.Client().ScriptFlush(t.Context()) }, func() {})
	}},
	{"full", 3 * time.Second, false, false, func(t *testing.T) broken {
		t.Helper()
		s := redistest.Start(t, "--maxmemory-policy", "noeviction")
		set := func(max string) func() { return func() { s.Client().ConfigSet(t.Context(), "maxmemory", max) } }
		return single(s, s.Addr(), set("1mb"), set("0"))
	}},
	{"failed over", time.Second, true, true, func(t *testing.T) broken {
		t.Helper()
		s := redistest.StartSentinel(t)
		return broken{
			block:  fmt.Sprintf("redis: {addresses: [%q], sentinel: {master: %s}}", s.Addrs()[0], redistest.MasterName),
			client: s.Client(), hurt: s.Failover, heal: func() {},
		}
	}},
	{"master killed", 5 * time.Second, false, true, func(t *testing.T) broken {
		t.Helper()
		s := redistest.StartSentinel(t)
		var next *redistest.Server
		return broken{
			block:  fmt.Sprintf("redis: {addresses: [%q], sentinel: {master: %s}}", s.Addrs()[0], redistest.MasterName),
			client: s.Client(),
			hurt:   func() { next = s.Other(s.Master()); s.Master().Kill() }, heal: func() { s.AwaitMaster(next) },
		}
	}},
	{"a slot moved", time.Second, true, false, func(t *testing.T) broken {
		t.Helper()
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
	t.Parallel()
	abreast(t, 4, faults, func(f fault) string { return f.name }, func(t *testing.T, f fault) { //nolint:thelper // it is the test
		b := f.open(t)
		p := perform(t, b, "local", f.lasts)
		for _, client := range byRate {
			exact(t, client, passed(p.all, client), 3*rateBurst, time.Second/rateBurst)
		}
		for _, client := range clients {
			if n := len(passed(p.during(), client)); n == 0 {
				t.Errorf("nothing of %s passed during the fault", client)
			}
		}
		if got := p.modes(); !f.short && got["local"] == 0 {
			t.Errorf("the modes during the fault were %v, want local among them", got)
		}
		if f.loses { // what was given back and is lost ends with its lease
			released(t, b.client, lease+20*time.Second)
		} else {
			released(t, b.client, lease*3/4)
		}
	})
}

// A rule that is open lets everything pass while Redis is away, and one that is
// closed nothing.
func TestOpenAndClosed(t *testing.T) {
	t.Parallel()
	abreast(t, 2, []string{"open", "closed"}, func(mode string) string { return mode }, func(t *testing.T, mode string) { //nolint:thelper // it is the test
		s := redistest.Start(t)
		b := single(s, s.Addr(), s.Pause, s.Resume)
		p := perform(t, b, mode, 4*time.Second)
		late := slices.DeleteFunc(p.during(), func(a asked) bool { return a.sent.Before(p.hurt.Add(3 * deadline)) })
		got := tally(late)
		want := map[string]string{"open": "200", "closed": "429 limits_unavailable"}[mode]
		if len(got) != 1 || got[want] == 0 {
			t.Errorf("while Redis was frozen: %v, want %s only", got, want)
		}
		released(t, b.client, lease*3/4)
	})
}
