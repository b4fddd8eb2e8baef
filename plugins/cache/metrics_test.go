package cache_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// metric returns the value of a counter or gauge, with its one label if it has
// one.
func metric(t *testing.T, from prometheus.Gatherer, name, label string) float64 {
	t.Helper()
	for labels, v := range metrics(t, from) {
		if labels == strings.TrimRight(name+" "+label, " ") {
			return v
		}
	}
	t.Fatalf("there is no metric %s %s", name, label)
	return 0
}

// metrics returns all values, by name and the label's value.
func metrics(t *testing.T, from prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			all[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return all
}

// TestMetrics brings about every result and reason. That they sum up shows
// that nothing is counted twice.
func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	env := plugintest.Env(t, nil)
	env.Metrics = registry
	link := func(change func(*cache.Settings)) plugins.Link {
		return plugintest.Link(t, cache.Plugin, env, change)
	}
	bypassed(t, link(func(s *cache.Settings) { s.TTL = 0 }), plugintest.Request(t, greedy))
	small := link(func(s *cache.Settings) { s.MaxValue = 20 })
	get, once := plugintest.Request(t, greedy), plugintest.Request(t, greedy)
	get.Method = http.MethodGet
	once.Header.Set("Idempotency-Key", "k")
	bypassed(t, small, get, once, to(t, "/v1/audio/speech", `{}`),
		plugintest.Request(t, `[`), plugintest.Request(t, `{}`),
		plugintest.Request(t, `{"store":true}`), plugintest.Request(t, `{"tools":[{"type":"mcp"}]}`))
	notStored(t, small)
	statuses(t, small.Fetch(plugintest.Answers(200)), 2, func() *http.Request { return plugintest.Request(t, greedy) })

	got := metrics(t, registry)
	want := map[string]float64{
		"relay_cache_requests_total hit": 1, "relay_cache_requests_total miss": 10, "relay_cache_requests_total bypass": 8,
		"relay_cache_stored_total": 1, "relay_cache_evicted_total": 0, "relay_cache_entries": 1, "relay_cache_bytes": 408,
		"relay_cache_not_stored_total too_long": 2,
	}
	for _, why := range []string{"off", "method", "endpoint", "header", "body", "sampled", "effect", "tools"} {
		want["relay_cache_bypassed_total "+why] = 1
	}
	want["relay_cache_not_stored_total forbidden"], want["relay_cache_not_stored_total fallback"] = 2, 0
	for _, why := range []string{"error", "status", "type", "incomplete", "content"} {
		want["relay_cache_not_stored_total "+why] = 1
	}
	for _, none := range []string{
		"relay_cache_requests_total coalesced", "relay_cache_requests_total stale", "relay_cache_hits_total redis",
		"relay_cache_not_stored_total no_room", "relay_cache_not_stored_total purged", "relay_cache_damaged_total",
		"relay_cache_semantic_lookups_total hit", "relay_cache_semantic_lookups_total miss", "relay_cache_semantic_lookups_total error",
		"relay_cache_semantic_entries", "relay_cache_flights", "relay_cache_recording_bytes", "relay_cache_refreshes_total",
		"relay_cache_waits_total shared", "relay_cache_waits_total alone", "relay_cache_redis_errors_total get",
		"relay_cache_redis_errors_total put", "relay_cache_redis_errors_total lease", "relay_cache_redis_errors_total purge",
	} {
		want[none] = 0
	}
	want["relay_cache_hits_total memory"] = 1
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// bypassed sends requests that are bypassed.
func bypassed(t *testing.T, link plugins.Link, reqs ...*http.Request) {
	t.Helper()
	rt := link.Fetch(plugintest.Answers(200))
	for _, req := range reqs {
		if got := ask(t, rt, req).cache; got != "BYPASS" {
			t.Errorf("X-Cache = %s, want BYPASS", got)
		}
	}
}

// notStored has an upstream give answers that are not stored. One comes twice,
// with and without its length.
func notStored(t *testing.T, link plugins.Link) {
	t.Helper()
	failing := plugintest.RoundTripFunc(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("unreachable")
	})
	if _, err := link.Fetch(failing).RoundTrip(plugintest.Request(t, greedy)); err == nil {
		t.Error("RoundTrip = nil, want the upstream's error")
	}
	long := `"` + strings.Repeat("x", 30) + `"`
	for _, upstream := range []*plugintest.Upstream{
		answering(`{}`, func(r *http.Response) { r.StatusCode = 500 }),
		answering(`{}`, func(r *http.Response) { r.Header.Set("Set-Cookie", "a=b") }),
		answering(`{}`, func(r *http.Response) {
			r.Header["Cache-Control"], r.Header["Age"] = []string{"max-age=5"}, []string{"5"}
		}),
		answering(`{}`, func(r *http.Response) { r.Header.Set("Content-Type", "text/html") }),
		answering(long, func(*http.Response) {}),
		answering(long, func(r *http.Response) { r.ContentLength = -1 }),
		answering(`{}`, func(r *http.Response) { r.ContentLength = 5 }),
		answering(`{"error":{}}`, func(*http.Response) {}),
	} {
		ask(t, link.Fetch(upstream), plugintest.Request(t, greedy))
	}
}
