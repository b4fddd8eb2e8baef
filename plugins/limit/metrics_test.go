package limit

import (
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// value returns the sum of the series of a metric that have all of labels.
func value(t testing.TB, env plugins.Env, name string, labels map[string]string) (sum float64) {
	t.Helper()
	families, err := env.Metrics.(prometheus.Gatherer).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			have := map[string]string{}
			for _, l := range m.GetLabel() {
				have[l.GetName()] = l.GetValue()
			}
			both := maps.Clone(have)
			maps.Copy(both, labels)
			if f.GetName() == name && maps.Equal(both, have) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// TestMetrics lets two requests through, one of which stays in flight, has one
// refused for its rate and one for what is in flight.
func TestMetrics(t *testing.T) {
	env := plugintest.Env(t, nil)
	link := build(t, env, func(s *Settings) {
		s.MaxInFlight = 2
		s.Rules = map[string]Rule{"each": {Per: perClient, Requests: 1, Period: time.Hour}}
	})
	rt := link.Fetch(plugintest.Answers(200))
	open(t, rt, "ada")
	_, _ = send(t, rt, "ada")
	open(t, rt, "bob")
	_, _ = send(t, rt, "cyd")
	for _, tt := range []struct {
		name   string
		labels map[string]string
		want   float64
	}{
		{"relay_limit_decisions_total", map[string]string{"rule": "each", "decision": "admitted"}, 2},
		{"relay_limit_decisions_total", map[string]string{"rule": "each", "decision": "rate_limit_exceeded"}, 1},
		{"relay_limit_decisions_total", map[string]string{"rule": "each", "decision": "concurrency_exceeded"}, 0},
		{"relay_limit_decisions_total", map[string]string{"rule": "max_in_flight", "decision": "admitted"}, 2},
		{"relay_limit_decisions_total", map[string]string{"rule": "max_in_flight", "decision": "concurrency_exceeded"}, 1},
		{"relay_limit_in_flight", map[string]string{"rule": "max_in_flight"}, 2},
		{"relay_limit_rules_active", nil, 2},
	} {
		if got := value(t, env, tt.name, tt.labels); got != tt.want {
			t.Errorf("%s%v = %g, want %g", tt.name, tt.labels, got, tt.want)
		}
	}
}
