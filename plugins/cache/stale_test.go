package cache_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// counting answers {"n":1}, {"n":2} and so on, after a pause, or fails.
func counting(pause time.Duration, fail func(n int) (int, error)) *plugintest.Upstream {
	u := &plugintest.Upstream{}
	return u.Then(func(req *http.Request) (*http.Response, error) {
		n := u.Asked()
		if err := wait(req.Context(), pause); err != nil {
			return nil, err
		}
		if fail != nil {
			if status, err := fail(n); err != nil || status != 200 {
				if err != nil {
					return nil, err
				}
				return plugintest.Response(req, status, `{}`), nil
			}
		}
		return plugintest.Response(req, 200, fmt.Sprintf(`{"n":%d}`, n)), nil
	})
}

// A stale answer is given at once while a new one is asked for.
func TestStaleWhileRevalidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := counting(time.Second, nil)
		rt := caching(t, u, func(s *cache.Settings) { s.TTL, s.StaleWhileRevalidate = time.Minute, time.Minute })
		steps := []struct {
			name             string
			wait             time.Duration
			control          string
			cache, age, body string
			asked            int
			takes            time.Duration
		}{
			{name: "nothing is stored", cache: "MISS", body: `{"n":1}`, asked: 1, takes: time.Second},
			{name: "it is fresh", wait: 59 * time.Second, cache: "HIT", age: "59", body: `{"n":1}`, asked: 1},
			{name: "it is stale, for whom nothing may be asked", wait: 2 * time.Second, control: "only-if-cached", cache: "STALE", age: "61", body: `{"n":1}`, asked: 1},
			{name: "it is older than the client takes", control: "max-age=60, only-if-cached", cache: "MISS", asked: 1},
			{name: "it is stale", cache: "STALE", age: "61", body: `{"n":1}`, asked: 2},
			{name: "it is stale while it is asked for", wait: 500 * time.Millisecond, cache: "STALE", age: "61", body: `{"n":1}`, asked: 2},
			{name: "the new one has come", wait: time.Second, cache: "HIT", age: "0", body: `{"n":2}`, asked: 2},
			{name: "it is too old", wait: 2 * time.Minute, cache: "MISS", body: `{"n":3}`, asked: 3, takes: time.Second},
		}
		for _, s := range steps {
			advance(s.wait)
			req := plugintest.Request(t, greedy)
			req.Header.Set("Cache-Control", s.control)
			begin := time.Now()
			res, err := rt.RoundTrip(req)
			got := plugins.CallOf(req.Context())
			body := ""
			if err == nil {
				body = read(t, res)
			} else if !errors.Is(err, cache.ErrNotCached) {
				t.Errorf("%s: %v", s.name, err)
			}
			synctest.Wait()
			if got.Cache() != s.cache || got.Header("Age") != s.age || body != s.body || u.Asked() != s.asked || time.Since(begin) != s.takes {
				t.Errorf("%s: %s, age %q, %s, asked %d times, in %s, want %s, %q, %s, %d, %s", s.name,
					got.Cache(), got.Header("Age"), body, u.Asked(), time.Since(begin), s.cache, s.age, s.body, s.asked, s.takes)
			}
		}
	})
}

func read(t *testing.T, res *http.Response) string {
	t.Helper()
	defer func() { _ = res.Body.Close() }()
	buf := make([]byte, 4096)
	n, _ := res.Body.Read(buf)
	return string(buf[:n])
}

// A stale answer stands in for one that fails, and for none that refuses.
func TestStaleIfError(t *testing.T) {
	refused := &plugins.Error{Status: 429, Type: "rate_limit_error", Code: "x", Message: "x"}
	tests := []struct {
		name   string
		status int
		err    error
		want   string
	}{
		{"it fails", 500, nil, "STALE"},
		{"its gateway fails", 502, nil, "STALE"},
		{"it is too busy", 503, nil, "STALE"},
		{"it is too slow", 504, nil, "STALE"},
		{"it is not there", 0, errors.New("unreachable"), "STALE"},
		{"nobody is there", 0, &plugins.Error{Status: 503, Code: "no_upstream"}, "STALE"},
		{"it refuses", 429, nil, "MISS"},
		{"it does not understand", 400, nil, "MISS"},
		{"a limit refuses", 0, refused, "MISS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := counting(0, func(n int) (int, error) {
					if n == 1 {
						return 200, nil
					}
					return tt.status, tt.err
				})
				rt := caching(t, u, func(s *cache.Settings) { s.TTL, s.StaleIfError = time.Minute, time.Minute })
				ask(t, rt, plugintest.Request(t, greedy))
				advance(90 * time.Second)
				req := plugintest.Request(t, greedy)
				res, err := rt.RoundTrip(req)
				if got := plugins.CallOf(req.Context()).Cache(); got != tt.want || u.Asked() != 2 {
					t.Errorf("a %s, asked %d times, want a %s and 2", got, u.Asked(), tt.want)
				}
				if tt.want == "STALE" && (err != nil || read(t, res) != `{"n":1}`) {
					t.Errorf("RoundTrip = %v, want the stale answer", err)
				}
				advance(time.Minute)
				if res, err := rt.RoundTrip(plugintest.Request(t, greedy)); err == nil && res.StatusCode == 200 {
					t.Error("an answer beyond the window was given")
				}
			})
		})
	}
}

// No window goes beyond what the upstream says of its answer.
func TestAnUpstreamBoundsTheWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := caching(t, answering(`{}`, header("Cache-Control", "max-age=70")), func(s *cache.Settings) {
			s.TTL, s.StaleWhileRevalidate = time.Minute, time.Hour
		})
		ask(t, rt, plugintest.Request(t, greedy))
		for _, s := range []struct {
			wait time.Duration
			want string
		}{{65 * time.Second, "STALE"}, {71 * time.Second, "MISS"}} {
			advance(s.wait)
			if got := ask(t, rt, plugintest.Request(t, greedy)).cache; got != s.want {
				t.Errorf("after %s more a %s, want a %s", s.wait, got, s.want)
			}
			synctest.Wait()
		}
	})
}

// Answers last between nine tenths of their ttl and all of it, and each as long
// on every replica.
func TestJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var replicas []http.RoundTripper
		for range 2 {
			replicas = append(replicas, plugintest.Link(t, cache.Plugin, plugintest.Env(t, nil), func(s *cache.Settings) {
				s.TTL = 100 * time.Second
			}).Fetch(answering(`{}`, asItIs)))
		}
		const all = 100
		req := func(i int) *http.Request { return to(t, "/v1/embeddings", fmt.Sprintf(`{"input":%d}`, i)) }
		for i := range all {
			ask(t, replicas[0], req(i))
			ask(t, replicas[1], req(i))
		}
		left := []int{}
		for range 3 {
			advance([]time.Duration{89 * time.Second, 6 * time.Second, 5 * time.Second}[len(left)])
			hits := 0
			for i := range all {
				only := req(i)
				only.Header.Set("Cache-Control", "only-if-cached")
				_, err := replicas[0].RoundTrip(only)
				again := req(i)
				again.Header.Set("Cache-Control", "only-if-cached")
				_, other := replicas[1].RoundTrip(again)
				if (err == nil) != (other == nil) {
					t.Errorf("answer %d is on one replica alone", i)
				}
				if err == nil {
					hits++
				}
			}
			left = append(left, hits)
		}
		if left[0] != all || left[1] < 20 || left[1] > 80 || left[2] != 0 {
			t.Errorf("%v of %d are left after 89, 95 and 100 seconds, want all, about half, none", left, all)
		}
	})
}

// A reload does not wait for an answer that is asked for in the background.
func TestARefreshEndsWithItsConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := cache.Defaults()
		s.TTL, s.TTLJitter, s.StaleWhileRevalidate = time.Minute, 0, time.Minute
		link, err := cache.New(s, plugintest.Env(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		link.Start()
		rt := link.Fetch(counting(10*time.Second, nil))
		ask(t, rt, plugintest.Request(t, greedy))
		advance(65 * time.Second)
		if got := ask(t, rt, plugintest.Request(t, greedy)).cache; got != "STALE" {
			t.Errorf("a %s, want STALE", got)
		}
		begin := time.Now()
		if err := link.Close(t.Context()); err != nil || time.Since(begin) != 0 {
			t.Errorf("Close = %v after %s, want at once", err, time.Since(begin))
		}
	})
}
