package replicas

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/redistest"
)

// question is a small request: about 20 tokens.
const question = `{"model":"m","max_tokens":50,"messages":[{"role":"user","content":"one two three four five"}]}`

// patient has a loaded machine not taken for a Redis that is down.
const patient = "    store: {deadline: 5s}\n"

// A setup is relays that share their limits.
type setup struct {
	name string
	took time.Duration // how long the load lasts
	open func(t *testing.T, upstream, limits string) []*relay
}

// setups are four processes on one Redis; four servers in one process, on one
// Redis, whose clocks are up to ten seconds apart; and one process alone.
func setups() []setup {
	return []setup{
		{"four processes", 30 * time.Second, func(t *testing.T, upstream, limits string) []*relay {
			t.Helper()
			return spawn(t, 4, configure(t, aRedis(t), upstream, patient+limits))
		}},
		{"four clocks", 10 * time.Second, func(t *testing.T, upstream, limits string) (all []*relay) {
			t.Helper()
			at := aRedis(t)
			for _, skew := range []time.Duration{-5, -2, 0, 5} {
				all = append(all, run(t, configure(t, at, upstream, patient+limits), skew*time.Second))
			}
			return all
		}},
		{"alone", 5 * time.Second, func(t *testing.T, upstream, limits string) []*relay {
			t.Helper()
			return spawn(t, 1, configure(t, "", upstream, limits))
		}},
	}
}

// aRedis starts a Redis and returns the block of the configuration that names
// it.
func aRedis(t testing.TB) string {
	t.Helper()
	return aboutRedis(redistest.Start(t))
}

// aboutRedis returns the block of the configuration that names the server.
func aboutRedis(s *redistest.Server) string {
	return "redis: {addresses: [\"" + s.Addr() + "\"]}"
}

// A rate per client lets exactly that through, whatever number of relays there
// is and whatever their clocks say.
func TestRatesAreExact(t *testing.T) {
	for _, s := range setups() {
		t.Run(s.name, func(t *testing.T) {
			const burst = 40
			relays := s.open(t, serve(t, 0).URL, "    rules:\n"+
				"      each: {per: client, requests: 20, period: 1s, burst: 40, clients: {cy: {requests: 1}, dee: {requests: 1}}}\n")
			all := load{relays: relays, connections: 200, body: question, think: 5 * time.Millisecond}.run(t.Context(), t, s.took)
			t.Log(tally(all))
			for i, client := range clients {
				// By the slow ones one more at once would be seen, however long
				// answers take.
				interval := []time.Duration{50 * time.Millisecond, time.Second}[i/2]
				exact(t, client, passed(all, client), burst, interval)
				bucket{burst: burst, second: 1 / interval.Seconds(), each: 1}.
					ample(t, client, of(all, client), func(asked) float64 { return 1 })
			}
			only(t, all, "200", "429 rate_limit_exceeded")
		})
	}
}

// Where a limit of all binds, what it refuses costs the clients nothing of
// their own; and a shadow refuses nothing.
func TestRulesAreTakenTogether(t *testing.T) {
	s := setups()[1]
	relays := s.open(t, serve(t, 0).URL, "    rules:\n"+
		"      all: {per: global, requests: 50, period: 1s, burst: 50}\n"+
		"      each: {per: client, requests: 20, period: 1s, burst: 40}\n"+
		"      less: {per: client, requests: 1, period: 1s, in_flight: 1, shadow: true}\n")
	all := load{relays: relays, connections: 200, body: question, think: 5 * time.Millisecond}.run(t.Context(), t, 5*time.Second)
	t.Log(tally(all))
	exact(t, "all", passed(all, ""), 50, 20*time.Millisecond)
	// Those that their own limit refused say nothing about that of all.
	by := slices.DeleteFunc(slices.Clone(all), func(a asked) bool {
		return a.status == http.StatusTooManyRequests && a.header.Get("X-Ratelimit-Limit") != "50"
	})
	bucket{burst: 50, second: 50, each: 1}.ample(t, "all", by, func(asked) float64 { return 1 })
	for _, client := range clients {
		exact(t, client, passed(all, client), 40, 50*time.Millisecond)
	}
}

// only fails if any request had another outcome than those.
func only(t *testing.T, all []asked, outcomes ...string) {
	t.Helper()
	rest := tally(all)
	for _, o := range outcomes {
		if rest[o] == 0 {
			t.Errorf("no request came to %q", o)
		}
		delete(rest, o)
	}
	if len(rest) > 0 {
		t.Errorf("%s", fmt.Sprint(rest))
	}
}
