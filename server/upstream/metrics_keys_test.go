package upstream

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// keyMetricsOf returns what the metrics of keys say, by name and labels.
func keyMetricsOf(t *testing.T, env plugins.Env) map[string]float64 {
	t.Helper()
	families, err := env.Metrics.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "relay_upstream_key") {
			continue
		}
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += fmt.Sprintf(" %s=%s", l.GetName(), l.GetValue())
			}
			got[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return got
}

func TestEjectedKeysAreCounted(t *testing.T) {
	env, now := plugintest.Env(t, map[string]string{"A": "a b c", "B": "d"}), newClock()
	env.Now = now.Now
	p, err := New(Config{Upstreams: map[string]Settings{
		"one": settings("https://x/v1", func(s *Settings) { s.APIKeyEnv = "A" }),
		"two": settings("https://x/v1", func(s *Settings) { s.APIKeyEnv, s.Priority = "B", 1 }),
		"not": settings("https://x/v1", func(s *Settings) { s.Priority = 2 }),
	}}, env)
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string, one ...float64) {
		t.Helper()
		want := map[string]float64{"relay_upstream_keys_ejected upstream=two": 0}
		if len(one) > 0 {
			want["relay_upstream_keys_ejected upstream=one"] = one[0]
		}
		got := keyMetricsOf(t, env)
		for _, reason := range []string{"quota", "unauthorized"} {
			name := "relay_upstream_key_ejections_total reason=" + reason + " upstream=one"
			if n, found := got[name]; found && n != 1 {
				t.Errorf("%s: %s = %v, want 1", when, name, n)
			}
			delete(got, name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	ring := p.members[0].keys
	check("at first", 0)
	ring.all[0].state.eject(now.now, now.now.Add(time.Minute), quota)
	ring.all[1].state.eject(now.now, now.now.Add(time.Hour), unauthorized)
	ring.all[1].state.eject(now.now, now.now.Add(time.Hour), unauthorized)
	check("after two were ejected, one of them twice", 2)
	now.now = now.now.Add(time.Minute)
	check("after one is back", 1)
	for _, k := range ring.all {
		if err := k.state.Close(); err != nil {
			t.Error(err)
		}
	}
	check("after the last generation that had the keys")
	if n := len(keyMetricsOf(t, env)); n != 1 {
		t.Errorf("%d series are left, want that of the other upstream", n)
	}
}
