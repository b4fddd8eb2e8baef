package cache_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// numbers returns entries and bytes as operators see them.
func numbers(t *testing.T, link plugins.Link) (entries int, bytes uint64) {
	t.Helper()
	w := httptest.NewRecorder()
	link.Admin.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/plugins/cache/", nil))
	var s struct {
		Entries int
		Bytes   uint64
	}
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s.Entries, s.Bytes
}

func TestReloadKeepsAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := plugintest.Env(t, nil)
		upstream := plugintest.Answers(200, 200)
		generation := func(ttl time.Duration) http.RoundTripper {
			return plugintest.Link(t, cache.Plugin, env, func(s *cache.Settings) { s.TTL = ttl }).Fetch(upstream)
		}
		ask(t, generation(time.Hour), plugintest.Request(t, greedy))
		advance(time.Minute)
		if got := ask(t, generation(2*time.Minute), plugintest.Request(t, greedy)); got.cache != "HIT" || got.age != "60" {
			t.Errorf("after a reload = %s, age %q, want HIT, 60", got.cache, got.age)
		}
		if got := ask(t, generation(time.Minute), plugintest.Request(t, greedy)); got.cache != "MISS" {
			t.Errorf("after a shorter ttl = %s, want MISS", got.cache)
		}
	})
}

// TestAnotherVersionHasOtherAnswers changes the upstream by a reload, which
// only another version makes the cache notice.
func TestAnotherVersionHasOtherAnswers(t *testing.T) {
	env := plugintest.Env(t, nil)
	steps := []struct{ name, version, upstream, want string }{
		{"the first answer", "", `"old"`, `MISS "old"`},
		{"another upstream", "", `"new"`, `HIT "old"`},
		{"another version", "2", `"new"`, `MISS "new"`},
		{"the same version", "2", `"newer"`, `HIT "new"`},
		{"the first version", "", `"newer"`, `HIT "old"`},
	}
	for _, s := range steps {
		link := plugintest.Link(t, cache.Plugin, env, func(c *cache.Settings) { c.Version = s.version })
		got := ask(t, link.Fetch(answering(s.upstream, asItIs)), plugintest.Request(t, greedy))
		if got.cache+" "+got.body != s.want {
			t.Errorf("%s: %s %s, want %s", s.name, got.cache, got.body, s.want)
		}
	}
}

// TestSizeChangesWhenStarted shrinks the store by a configuration that is
// thrown away, which must do nothing, and by one that becomes the current one.
func TestSizeChangesWhenStarted(t *testing.T) {
	env := plugintest.Env(t, nil)
	link := plugintest.Link[cache.Settings](t, cache.Plugin, env, nil)
	rt := link.Fetch(plugintest.Answers(200))
	for i := range 100 {
		ask(t, rt, to(t, "/v1/embeddings", fmt.Sprintf(`{"input":%d}`, i)))
	}
	small := cache.Defaults()
	small.MaxBytes, small.MaxValue = 10_000, 1000
	next, err := cache.New(small, env)
	if err != nil {
		t.Fatal(err)
	}
	if entries, _ := numbers(t, link); entries != 100 {
		t.Errorf("%d entries before Start, want 100", entries)
	}
	next.Start()
	if entries, bytes := numbers(t, next); entries < 10 || entries > 90 || bytes > 10_000 {
		t.Errorf("%d entries of %d bytes after Start, want some of at most 10000 bytes", entries, bytes)
	}
}

// TestStoreIsFreed takes the cache out of the chain and puts it back.
func TestStoreIsFreed(t *testing.T) {
	env := plugintest.Env(t, nil)
	registry := prometheus.NewRegistry()
	env.Metrics = registry
	var kept []io.Closer
	keep := plugintest.Keeper()
	metrics := keep
	env.Keep = func(key string, create func() (any, error)) (any, error) {
		if key == "metrics" {
			return metrics(key, create)
		}
		v, err := keep(key, create)
		if c, ok := v.(io.Closer); ok {
			kept = append(kept, c)
		}
		return v, err
	}
	entries := func() float64 { return metric(t, registry, "relay_cache_entries", "") }
	ask(t, plugintest.Link[cache.Settings](t, cache.Plugin, env, nil).Fetch(plugintest.Answers(200)), plugintest.Request(t, greedy))
	if got := entries(); got != 1 {
		t.Errorf("entries = %v, want 1", got)
	}
	for _, c := range kept {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := entries(); got != 0 {
		t.Errorf("entries of a store that was freed = %v, want 0", got)
	}
	keep = plugintest.Keeper() // what was freed is not kept any more
	rt := plugintest.Link[cache.Settings](t, cache.Plugin, env, nil).Fetch(plugintest.Answers(200))
	if got := ask(t, rt, plugintest.Request(t, greedy)).cache; got != "MISS" || entries() != 1 {
		t.Errorf("after the cache came back = %s, %v entries, want MISS, 1", got, entries())
	}
}
