package redistest

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// through returns a server, a proxy in front of it, and a client of the proxy
// that has greeted the server and asks once.
func through(t *testing.T) (*Server, *Proxy, *redis.Client) {
	t.Helper()
	s := Start(t)
	p := StartProxy(t, s.Addr())
	c := redis.NewClient(&redis.Options{
		Addr: p.Addr(), MaxRetries: -1, DisableIdentity: true, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { _ = c.Close() })
	set(t, c, "k", "v")
	pipelined(t, c) // has connections of its own
	p.Reset()
	return s, p, c
}

// pipelined sends three commands at once.
func pipelined(t *testing.T, c *redis.Client) {
	t.Helper()
	ctx := bounded(t)
	if _, err := c.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, "a", "1", 0)
		pipe.Get(ctx, "a")
		return pipe.Get(ctx, "k").Err()
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAProxyCounts(t *testing.T) {
	_, p, c := through(t)
	wantKey(t, c, "k", "v")
	pipelined(t, c)
	if got, want := p.ByName(), (map[string]int{"GET": 3, "SET": 1}); !maps.Equal(got, want) {
		t.Errorf("commands = %v, want %v", got, want)
	}
	if p.Commands() != 4 || p.Commands("GET", "DEL") != 3 || p.Replies() != 4 || p.RoundTrips() != 2 {
		t.Errorf("commands = %d, of these GET %d, replies = %d, round trips = %d, want 4, 3, 4, 2",
			p.Commands(), p.Commands("GET", "DEL"), p.Replies(), p.RoundTrips())
	}
	// "*2\r\n$3\r\nget\r\n$1\r\nk\r\n" is 20 bytes, its answer "$1\r\nv\r\n" 7; "+OK\r\n" is 5.
	if asked, replied := p.Bytes(); asked != 3*20+27 || replied != 3*7+5 {
		t.Errorf("%d bytes were asked and %d replied, want 87 and 26", asked, replied)
	}
	p.Reset()
	if asked, replied := p.Bytes(); asked+replied+p.Commands()+p.Replies()+p.RoundTrips() != 0 {
		t.Error("a reset has not forgotten all")
	}
}

func TestAProxyDelays(t *testing.T) {
	_, p, c := through(t)
	const delay = 100 * time.Millisecond
	p.SetDelay(delay)
	start := time.Now()
	wantKey(t, c, "k", "v")
	if took := time.Since(start); took < delay {
		t.Errorf("it took %s, want at least %s", took, delay)
	}
	p.Heal()
	wantKey(t, c, "k", "v")
}

func TestAProxyCuts(t *testing.T) {
	_, p, c := through(t)
	p.SetDelay(time.Hour)
	failed := make(chan error)
	go func() { failed <- c.Get(bounded(t), "k").Err() }()
	Await(t, "the command", func() bool { return p.Commands("GET") == 1 })
	p.Cut()
	if err := <-failed; err == nil || late(err) {
		t.Errorf("got %v, want that the connection broke", err)
	}
	p.SetDelay(0)
	wantKey(t, c, "k", "v")
}

func TestAProxyRefuses(t *testing.T) {
	_, p, c := through(t)
	p.Refuse()
	if err := c.Get(bounded(t), "k").Err(); err == nil {
		t.Error("a refusing proxy has let something pass")
	}
	p.Heal()
	Await(t, "a connection", func() bool { return c.Ping(bounded(t)).Err() == nil })
}

func TestAHole(t *testing.T) {
	s, p, c := through(t)
	p.Blackhole()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := c.Set(ctx, "k", "late", 0).Err(); !late(err) {
		t.Errorf("got %v out of a hole, want that it is too late", err)
	}
	direct := s.Client()
	wantKey(t, direct, "k", "v")
	p.Heal()
	Await(t, "what was held back", func() bool { return direct.Get(bounded(t), "k").Val() == "late" })
	set(t, c, "k", "v")
}

func TestASilence(t *testing.T) {
	s, p, c := through(t)
	p.Mute()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := c.Set(ctx, "k", "unheard", 0).Err(); !late(err) {
		t.Errorf("got %v out of a silence, want that it is too late", err)
	}
	wantKey(t, s.Client(), "k", "unheard")
	p.Heal()
	wantKey(t, c, "k", "unheard")
}

func TestAProxyOfADeadServer(t *testing.T) {
	s, _, c := through(t)
	s.Kill()
	if err := c.Ping(bounded(t)).Err(); err == nil {
		t.Error("a dead server has answered")
	}
	s.Restart()
	Await(t, "the server", func() bool { return c.Ping(bounded(t)).Err() == nil })
}
