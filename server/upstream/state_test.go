package upstream

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// generation builds the next pool in env.
func generation(t *testing.T, env plugins.Env, h Health, change func(*Settings)) *Pool {
	t.Helper()
	p, err := New(Config{Upstreams: map[string]Settings{"one": settings("http://x/v1", change)}, Health: h}, env)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAReloadForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := plugintest.Env(t, nil)
		old := generation(t, env, HealthDefaults(), func(s *Settings) { s.MaxInFlight, s.Requests = 1, 10 })
		old.Start()
		old.members[0].client = says(200)
		res, err := old.RoundTrip(plugintest.Request(t, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		eject(old, "one", time.Minute)

		h := HealthDefaults()
		h.MaxEjection = 30 * time.Second
		next := generation(t, env, h, func(s *Settings) { s.MaxInFlight, s.Requests, s.Weight = 1, 5, 7 })
		if _, left := next.members[0].state.breaker.Look(next.now()); left != time.Minute {
			t.Errorf("out for %s before the configuration holds, want 1m", left)
		}
		next.Start()
		if s := next.Show()[0]; s.InFlight != 1 || s.State != "ejected" || *s.Left != 4 {
			t.Errorf("after the reload %+v, want one in flight, ejected, 4 left", s)
		}
		if _, left := next.members[0].state.breaker.Look(next.now()); left != 30*time.Second {
			t.Errorf("out for %s, want the new max_ejection", left)
		}
		if _, err := pick(next, asked(t, "m")); err == nil {
			t.Error("the place is taken, and was given again")
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if s := next.Show()[0]; s.InFlight != 0 {
			t.Errorf("%d in flight, want none", s.InFlight)
		}
	})
}

func TestAnotherAddressIsAnotherUpstream(t *testing.T) {
	env := plugintest.Env(t, nil)
	old := generation(t, env, HealthDefaults(), nil)
	old.Start()
	next := generation(t, env, HealthDefaults(), func(s *Settings) { s.BaseURL = "http://y/v1" })
	next.Start()
	late := &asking{Pool: old, member: old.members[0]}
	late.report(t.Context(), bad, time.Minute, "status 429")
	if s := next.Show()[0]; s.State != "healthy" {
		t.Errorf("state %s, want it healthy", s.State)
	}
	if got := gathered(t, env)["relay_upstream_healthy one"]; got != 1 {
		t.Errorf("relay_upstream_healthy = %v, want 1: the old address is nobody's any more", got)
	}
}

// gathered returns the metrics, by their names and the values of their labels.
// Of a histogram it is how much it has seen.
func gathered(t *testing.T, env plugins.Env) map[string]float64 {
	t.Helper()
	families, err := env.Metrics.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			values[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return values
}

func TestMetrics(t *testing.T) {
	env := plugintest.Env(t, nil)
	p := generation(t, env, HealthDefaults(), nil)
	p.Start()
	p.members[0].client = says(http.StatusTooManyRequests, "Retry-After", "7")
	res, err := p.RoundTrip(plugintest.Request(t, "{}"))
	if err != nil {
		t.Fatal(err)
	}
	got := gathered(t, env)
	for name, want := range map[string]float64{
		"relay_upstream_requests_total 429 one":          1,
		"relay_upstream_requests_total error one":        0,
		"relay_upstream_requests_waiting one":            0,
		"relay_upstream_requests_in_flight one":          1,
		"relay_upstream_healthy one":                     0,
		"relay_upstream_ejections_total retry_after one": 1,
		"relay_upstream_ejections_total failures one":    0,
		"relay_upstream_duration_seconds one":            1,
		"relay_fallbacks_total one":                      0,
	} {
		// Labels are in the order of their names.
		if value, found := got[name]; !found || value != want {
			t.Errorf("%s: %v, %t, want %v", name, value, found, want)
		}
	}
	_ = res.Body.Close()
	p.members[0].state.meters.tokens.used(plugins.Usage{Source: plugins.UsageReported})
	p.members[0].state.meters.tokens.spoke(time.Second)
	before := len(gathered(t, env))
	next := generation(t, env, HealthDefaults(), func(s *Settings) { s.BaseURL = "http://y/v1" })
	_ = p.members[0].state.Close()
	if got := gathered(t, env); len(got) != before {
		t.Errorf("%d series of %d, want all while another generation has them", len(got), before)
	}
	_ = next.members[0].state.Close()
	got = gathered(t, env)
	delete(got, "relay_cost_unpriced_tokens_total") // which is of no upstream
	if len(got) != 0 {
		t.Errorf("%v are left of an upstream that is gone", got)
	}
}
