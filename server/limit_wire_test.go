package server

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/holysheep/relay/internal/redistest"
)

// onTheWire is a relay whose rules claim five counters in Redis.
const onTheWire = `
chain: [auth, limit, cache, retry]
redis: REDIS
plugins:
  auth: {clients: {tester: {group: testers, keys: {one: {sha256: HASH}}}}}
  cache: {}
  limit:
    store: {deadline: 5s}
    rules:
      all: {per: global, requests: 1000000}
      each: {per: client, requests: 100000, tokens: {limit: 10000000}, in_flight: 100, budget: {usd: 1000}}
upstreams:
  demo: {base_url: UPSTREAM, api_key_env: UPSTREAM_KEY, include_usage: true}
`

// A wired is a relay that asks Redis through a proxy.
type wired struct {
	*running
	proxy *redistest.Proxy
}

// done returns how often the relay has done such operations on Redis.
func (w wired) done(t *testing.T, operations ...string) (n int) {
	t.Helper()
	for _, op := range operations {
		n += int(w.metric(t, "relay_limit_store_seconds", "operation", op))
	}
	return n
}

// ask asks and reads the answer to its end.
func (w wired) ask(t *testing.T, body string) {
	t.Helper()
	req := w.request(t, http.MethodPost, "/v1/chat/completions", body)
	req.Header.Set("X-Demo-Tokens", "20")
	if res, _ := do(t, req); res.StatusCode != http.StatusOK || res.Header.Get("X-Relay-Limit-Mode") != "shared" {
		t.Errorf("%s by %q", res.Status, res.Header.Get("X-Relay-Limit-Mode"))
	}
}

// TestRoundTripsToRedis counts on the wire what the whole relay asks Redis for
// requests and for streams: one script to decide on five counters, and one to
// settle them. Settlements of many requests go together.
func TestRoundTripsToRedis(t *testing.T) {
	stores := map[string]func(t *testing.T, p *redistest.Proxy) string{
		"one server": func(_ *testing.T, p *redistest.Proxy) string {
			return fmt.Sprintf("{addresses: [%q]}", p.Addr())
		},
		"a Sentinel": func(t *testing.T, p *redistest.Proxy) string {
			t.Helper()
			return fmt.Sprintf("{addresses: [%q], sentinel: {master: %s}}", redistest.StartSentinelOf(t, p).Addrs()[0], redistest.MasterName)
		},
	}
	tests := []struct {
		name, body    string
		clients, each int
	}{
		{"requests", asked, 1, 10},
		{"streams", streamed, 1, 10},
		{"requests at once", asked, 20, 10},
	}
	for store, redis := range stores {
		for _, tt := range tests {
			t.Run(store+", "+tt.name, func(t *testing.T) {
				p := redistest.StartProxy(t, redistest.Start(t).Addr())
				w := wired{start(t, strings.ReplaceAll(onTheWire, "REDIS", redis(t, p))), p}
				w.ask(t, tt.body) // Redis gets to know the scripts
				redistest.Await(t, "the first settlement", func() bool { return w.done(t, "beat") > 0 && w.done(t, "settle") == 1 })
				w.count(t, tt.body, tt.clients, tt.each)
			})
		}
	}
}

// count has clients ask so often each, ends the relay, and counts.
func (w wired) count(t *testing.T, body string, clients, each int) {
	t.Helper()
	w.proxy.Reset()
	before := w.done(t, "beat", "renew")
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range each {
				w.ask(t, body)
			}
		})
	}
	wg.Wait()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() // the relay waits 5s for one that was never used
	if err := w.Stop(); err != nil {
		t.Error(err)
	}
	n, scripts, trips := clients*each, w.proxy.Commands("EVALSHA"), w.proxy.RoundTrips()
	others := w.done(t, "beat", "renew") - before
	up, down := w.proxy.Bytes()
	t.Logf("%d requests: %d scripts, %d of them for no request, in %d round trips; for each script %d bytes to Redis and %d back; %v",
		n, scripts, others, trips, up/scripts, down/scripts, w.proxy.ByName())
	if scripts != 2*n+others || w.proxy.Commands("EVAL") > 0 {
		t.Errorf("want one script to decide and one to settle each")
	}
	if all := w.proxy.Commands(); trips > all || clients > 1 && trips >= all {
		t.Errorf("%d round trips for %d commands", trips, all)
	}
}
