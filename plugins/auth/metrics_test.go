package auth_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/auth"
)

// series returns every series in the registry whose name begins with prefix,
// with its value, as in `relay_auth_requests_total outcome=allowed: 1`.
func series(t *testing.T, e plugins.Env, prefix string) []string {
	t.Helper()
	families, err := e.Metrics.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			text := f.GetName()
			for _, l := range m.GetLabel() {
				text += " " + l.GetName() + "=" + l.GetValue()
			}
			if strings.HasPrefix(text, prefix) {
				found = append(found, fmt.Sprintf("%s: %.0f", text, m.GetCounter().GetValue()+m.GetGauge().GetValue()))
			}
		}
	}
	return found
}

// build makes a link that is not started.
func build(t *testing.T, e plugins.Env, yaml string) plugins.Link {
	t.Helper()
	e.LookupEnv = func(string) (string, bool) { return yaml, true }
	l, err := auth.New(auth.Settings{KeysEnv: "CLIENTS"}, e)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestGaugesTellOfTheCurrentConfiguration(t *testing.T) {
	e := env(t, "")
	gauges := func(when string, want ...string) {
		t.Helper()
		got := append(series(t, e, "relay_auth_clients"), series(t, e, "relay_auth_key")...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	end := func(l plugins.Link) {
		t.Helper()
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	first := build(t, e, clients())
	gauges("before the start")
	first.Start()
	expiry := "relay_auth_key_expiry_timestamp_seconds client=free key=old: 1795435200"
	gauges("after the start", "relay_auth_clients: 3", expiry)
	end(build(t, e, one("refused")))
	gauges("after a configuration that was refused", "relay_auth_clients: 3", expiry)

	second := build(t, e, one("a"))
	second.Start()
	gauges("after a reload", "relay_auth_clients: 1")
	end(first)
	gauges("after the old one has ended", "relay_auth_clients: 1")
	end(second)
	gauges("after the end")
}

func TestEveryOutcomeIsThereFromTheStart(t *testing.T) {
	e := env(t, clients())
	link(t, e)
	want := []string{}
	for _, outcome := range []string{
		"allowed", "ambiguous_body", "conflicting", "disabled", "expired", "invalid", "missing", "model_not_allowed",
	} {
		want = append(want, "relay_auth_requests_total outcome="+outcome+": 0")
	}
	if diff := cmp.Diff(want, series(t, e, "relay_auth_requests_total")); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}
