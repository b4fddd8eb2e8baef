package upstream

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
)

// tokenMetrics are those of what is in the answers.
type tokenMetrics struct {
	tokens     *prometheus.CounterVec // kind: "input", "output", "cached"; source: how it is known
	firstToken *prometheus.HistogramVec
}

// count counts what an answer has used.
func (m *tokenMetrics) count(upstream string, u plugins.Usage) {
	if u.Source == plugins.UsageUnknown {
		return
	}
	source := string(u.Source)
	m.tokens.WithLabelValues(upstream, "input", source).Add(float64(u.Input))
	m.tokens.WithLabelValues(upstream, "output", source).Add(float64(u.Output))
	m.tokens.WithLabelValues(upstream, "cached", source).Add(float64(u.Cached))
}

// first takes down how long the first content took.
func (m *tokenMetrics) first(upstream string, took time.Duration) {
	m.firstToken.WithLabelValues(upstream).Observe(took.Seconds())
}
