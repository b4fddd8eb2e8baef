package plugintest

import (
	"context"
	"errors"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holysheep/relay/plugins"
)

// state is what a plugin keeps.
type state struct{ closed int }

func (s *state) Close() error { s.closed++; return nil }

func TestBuild(t *testing.T) {
	tests := []struct {
		name  string
		build func(gate, plugins.Env) (plugins.Link, error)
		want  string
	}{
		{name: "good", build: good},
		{name: "an error", want: "first: broken", build: func(gate, plugins.Env) (plugins.Link, error) {
			return plugins.Link{}, errors.New("broken")
		}},
		{name: "no link", want: "does nothing", build: func(gate, plugins.Env) (plugins.Link, error) {
			return plugins.Link{}, nil
		}},
		{name: "a log line", want: "first: New logs", build: func(_ gate, env plugins.Env) (plugins.Link, error) {
			env.Log.With("a", "b").WithGroup("c").Info("hello")
			return plugins.Link{Fetch: same}, nil
		}},
		{name: "a line for developers", build: func(_ gate, env plugins.Env) (plugins.Link, error) {
			env.Log.Debug("hello")
			return plugins.Link{Fetch: same}, nil
		}},
		{name: "a metric that is set", want: "relay_gate_rules is set by New", build: func(_ gate, env plugins.Env) (plugins.Link, error) {
			rules := promauto.With(env.Metrics).NewGauge(prometheus.GaugeOpts{Name: "relay_gate_rules", Help: "Rules."})
			rules.Set(1)
			return plugins.Link{Fetch: same}, nil
		}},
		{name: "metrics that are not kept", want: "panic: duplicate metrics", build: func(_ gate, env plugins.Env) (plugins.Link, error) {
			promauto.With(env.Metrics).NewGauge(prometheus.GaugeOpts{Name: "relay_gate_rules", Help: "Rules."})
			return plugins.Link{Fetch: same}, nil
		}},
		{name: "Close needs Start", want: "not started", build: func(gate, plugins.Env) (plugins.Link, error) {
			started := false
			return plugins.Link{Fetch: same, Start: func() { started = true }, Close: func(context.Context) error {
				if !started {
					return errors.New("not started")
				}
				return nil
			}}, nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := plugins.Define("gate", func() gate { return gate{} }, tt.build)
			wants(t, build(t, p, gate{}, newRecorder()), tt.want)
		})
	}
}

// Two of three generations start, all three are closed, and what was kept is
// freed once, after them.
func TestBuildLives(t *testing.T) {
	kept := &state{}
	started, closed := 0, 0
	p := plugins.Define("gate", func() gate { return gate{} }, func(_ gate, env plugins.Env) (plugins.Link, error) {
		_, err := plugins.Keep(env, "state", func() (*state, error) { return kept, nil })
		return plugins.Link{Fetch: same, Start: func() { started++ }, Close: func(context.Context) error {
			if closed++; kept.closed != 0 {
				return errors.New("freed too early")
			}
			return nil
		}}, err
	})
	if err := build(t, p, gate{}, newRecorder()); err != nil {
		t.Error(err)
	}
	if started != 2 || closed != 3 || kept.closed != 1 {
		t.Errorf("started %d, closed %d, freed %d, want 2, 3, 1", started, closed, kept.closed)
	}
}

func TestRecorderCheck(t *testing.T) {
	counter := func(name, help string) prometheus.Collector {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"outcome"})
	}
	tests := []struct {
		name      string
		collector prometheus.Collector
		want      string
	}{
		{name: "good", collector: counter("relay_gate_requests_total", "Requests.")},
		{name: "a gauge with labels", want: "relay_gate_open_total: non-counter", collector: prometheus.NewGaugeVec(
			prometheus.GaugeOpts{Name: "relay_gate_open_total", Help: "Open."}, []string{"a", "b"})},
		{name: "a histogram of another unit", want: "base unit", collector: prometheus.NewHistogramVec(
			prometheus.HistogramOpts{Name: "relay_gate_wait_milliseconds", Help: "Waits."}, []string{"a"})},
		{name: "a summary of another unit", want: "base unit", collector: prometheus.NewSummaryVec(
			prometheus.SummaryOpts{Name: "relay_gate_wait_minutes", Help: "Waits."}, []string{"a"})},
		{name: "a counter without total", collector: counter("relay_gate_requests", "Requests."), want: `should have "_total" suffix`},
		{name: "no help", collector: counter("relay_gate_requests_total", ""), want: "no help text"},
		{name: "another's name", collector: counter("relay_requests_total", "Requests."), want: "does not begin with relay_gate_"},
		{name: "a metric that is not told", collector: counter("relay_gate_others_total", "Others."), want: "no `relay_gate_others_total` under ## Metrics"},
		{name: "a label that is not told", want: "no `reason` under ## Metrics", collector: prometheus.NewCounterVec(
			prometheus.CounterOpts{Name: "relay_gate_requests_total", Help: "Requests."}, []string{"outcome", "reason"})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRecorder()
			if err := r.Register(tt.collector); err != nil {
				t.Fatal(err)
			}
			wants(t, r.check("relay_gate_", parsePage(goodPage).words("Metrics")), tt.want)
		})
	}
}
