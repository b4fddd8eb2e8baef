package shelf

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/holysheep/relay/internal/redistest"
)

// A Redis that fails is a miss, and left alone after a few failures.
func TestRedisThatFails(t *testing.T) {
	tests := []struct {
		name       string
		fail, mend func(s *redistest.Server, p *redistest.Proxy)
	}{
		{"frozen", func(s *redistest.Server, _ *redistest.Proxy) { s.Pause() }, func(s *redistest.Server, _ *redistest.Proxy) { s.Resume() }},
		{"a black hole", func(_ *redistest.Server, p *redistest.Proxy) { p.Blackhole() }, func(_ *redistest.Server, p *redistest.Proxy) { p.Heal() }},
		{"nobody there", func(_ *redistest.Server, p *redistest.Proxy) { p.Refuse() }, func(_ *redistest.Server, p *redistest.Proxy) { p.Heal() }},
		{"killed", func(s *redistest.Server, _ *redistest.Proxy) { s.Kill() }, func(s *redistest.Server, _ *redistest.Proxy) { s.Restart() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := redistest.Start(t)
			proxy := redistest.StartProxy(t, server.Addr())
			client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true})
			t.Cleanup(func() { _ = client.Close() })
			var seen counts
			s := open(t, client, &seen)
			p := placed(1, 1, 1)
			a := told(p, "a")
			s.Share(t.Context(), p, a, time.Hour)
			tt.fail(server, proxy)
			s.Tune(1<<20, 100_000, 20*time.Millisecond)
			for range 20 {
				if got, _ := s.Get(t.Context(), placed(2, 2, 2), always); got != nil {
					t.Errorf("Get = %v", got)
				}
			}
			if n := seen.failed.Load(); n < 1 || n > 6 || s.Up() {
				t.Errorf("it was waited for %d times, up %t, want a few times and then not at all", n, s.Up())
			}
			if _, standing, _ := s.Lease(t.Context(), p, time.Second); standing != Unknown {
				t.Errorf("Lease = %d, want Unknown", standing)
			}
			s.Put(p, a)
			if got, tier := s.Get(t.Context(), p, always); got != a || tier != Memory {
				t.Errorf("Get = %v from %d, want what is in memory", got, tier)
			}
			tt.mend(server, proxy)
			s.Tune(1<<20, 100_000, 2*time.Second)
			redistest.Await(t, "it is used again", func() bool {
				s.Share(t.Context(), placed(3, 3, 3), told(placed(3, 3, 3), "b"), time.Hour)
				got := s.fetch(t.Context(), placed(3, 3, 3))
				return got != nil && s.Up()
			})
		})
	}
}

// A Redis without room is still read.
func TestRedisWithoutRoom(t *testing.T) {
	server := redistest.Start(t)
	var seen counts
	s := open(t, server.Client(), &seen)
	p, q := placed(1, 1, 1), placed(2, 2, 2)
	s.Share(t.Context(), p, told(p, "a"), time.Hour)
	if err := server.Client().ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		s.Share(t.Context(), q, told(q, "b"), time.Hour)
	}
	if !s.crowd.Load() && seen.failed.Load() < 10 || !s.Up() {
		t.Errorf("%d failures, up %t, want each noted and Redis used", seen.failed.Load(), s.Up())
	}
	if a, tier := s.Get(t.Context(), p, always); a == nil || tier != Redis {
		t.Errorf("Get = %v from %d, want what there was", a, tier)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client()
	_ = client.Ping(t.Context())
	running := goleak.IgnoreCurrent()
	s := open(t, client, &counts{})
	if _, standing, _ := s.Lease(t.Context(), placed(1, 1, 1), time.Second); standing != Taken {
		t.Errorf("Lease = %d", standing)
	}
	if _, err := s.Purge(t.Context(), What{}); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := goleak.Find(running); err != nil {
		t.Error(err)
	}
}

func TestPurgeWithoutRedis(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.Client(), &counts{})
	p := placed(1, 1, 1)
	s.Put(p, told(p, "a"))
	server.Kill()
	if n, err := s.Purge(t.Context(), What{}); err == nil || n.Memory != 1 {
		t.Errorf("Purge = %v, %v, want memory purged and an error", n, err)
	}
}

func FuzzWhat(f *testing.F) {
	for _, w := range []string{"  ", "0102030405060708  ", " 01020304 ", "0102030405060708 01020304 0102030405060708", "x y z", "01  "} {
		f.Add(w)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, ok := readWhat(text)
		if !ok {
			return
		}
		again, ok := readWhat(w.text())
		if diff := cmp.Diff(w, again); diff != "" || !ok {
			t.Errorf("%q does not come back:\n%s", text, diff)
		}
	})
}

// A Redis that is nearly full gets no more answers, so that others can write.
func TestRedisThatIsNearlyFull(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.Client(), &counts{})
	p := placed(1, 1, 1)
	used := 0
	for line := range strings.Lines(server.Client().Info(t.Context(), "memory").Val()) {
		_, _ = fmt.Sscanf(line, "used_memory:%d", &used)
	}
	if err := server.Client().ConfigSet(t.Context(), "maxmemory", fmt.Sprint(used*12/10)).Err(); err != nil {
		t.Fatal(err)
	}
	redistest.Await(t, "it is noticed", s.crowd.Load)
	if s.Share(t.Context(), p, told(p, "a"), time.Hour); s.fetch(t.Context(), p) != nil {
		t.Error("an answer was added")
	}
	if err := server.Client().Set(t.Context(), "counter", 1, 0).Err(); err != nil {
		t.Errorf("others cannot write: %v", err)
	}
	if err := server.Client().ConfigSet(t.Context(), "maxmemory", "100mb").Err(); err != nil {
		t.Fatal(err)
	}
	redistest.Await(t, "it is noticed", func() bool { return !s.crowd.Load() })
	if s.Share(t.Context(), p, told(p, "a"), time.Hour); s.fetch(t.Context(), p) == nil {
		t.Error("no answer was added")
	}
}

// TestRights holds that the user of the README may do all that the shelf asks.
func TestRights(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`ACL SETUSER relay on >PASSWORD (.*)`).FindSubmatch(text)
	if line == nil {
		t.Fatal("the README has no such line")
	}
	server := redistest.Start(t)
	server.AddUser("relay", "secret", strings.Fields(strings.ReplaceAll(string(line[1]), "holysheep:", "p[[]1]:"))...)
	var seen counts
	s := open(t, server.ClientOf("relay", "secret"), &seen)
	p := placed(1, 1, 1)
	s.Share(t.Context(), p, told(p, "a"), time.Hour)
	l, standing, _ := s.Lease(t.Context(), p, time.Minute)
	if a, _ := s.Await(t.Context(), p, always); a == nil || standing != Taken {
		t.Errorf("Await = %v, Lease = %d", a, standing)
	}
	l.Release(t.Context())
	if err := server.Client().Set(t.Context(), s.keyOf(p.Name), "damaged", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if a := s.fetch(t.Context(), p); a != nil || seen.damaged.Load() != 1 {
		t.Errorf("fetch = %v, %d damaged", a, seen.damaged.Load())
	}
	if _, err := s.Purge(t.Context(), What{}); err != nil || seen.failed.Load() != 0 {
		t.Errorf("Purge = %v, %d failures", err, seen.failed.Load())
	}
	s.watchCrowd()
	if err := s.options.Redis.Info(t.Context(), "memory").Err(); err != nil {
		t.Errorf("it cannot tell how full it is: %v", err)
	}
}
