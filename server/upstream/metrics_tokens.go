package upstream

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
)

// tokenMetrics are the metrics of what is in answers.
type tokenMetrics struct {
	tokens *prometheus.CounterVec // kind: "input", "output", "cached"; source: "reported", "estimated", "partial"
	first  *prometheus.HistogramVec
}

// tokenMeters are those of one upstream's answers, looked up once.
type tokenMeters struct {
	tokens map[plugins.UsageSource]tokenKinds
	first  prometheus.Observer
}

// tokenKinds are counters of tokens by kind.
type tokenKinds struct{ input, output, cached prometheus.Counter }

// of returns the meters of the named upstream.
func (m *tokenMetrics) of(name string) tokenMeters {
	all := tokenMeters{tokens: map[plugins.UsageSource]tokenKinds{}, first: m.first.WithLabelValues(name)}
	for _, source := range []plugins.UsageSource{plugins.UsageReported, plugins.UsageEstimated, plugins.UsagePartial} {
		all.tokens[source] = tokenKinds{
			input:  m.tokens.WithLabelValues(name, "input", string(source)),
			output: m.tokens.WithLabelValues(name, "output", string(source)),
			cached: m.tokens.WithLabelValues(name, "cached", string(source)),
		}
	}
	return all
}

// used counts what an answer has used, unless that is not known.
func (m *tokenMeters) used(u plugins.Usage) {
	kinds, known := m.tokens[u.Source]
	if !known {
		return
	}
	kinds.input.Add(float64(u.Input))
	kinds.output.Add(float64(u.Output))
	kinds.cached.Add(float64(u.Cached))
}

// spoke takes down how long the first content took.
func (m *tokenMeters) spoke(took time.Duration) { m.first.Observe(took.Seconds()) }
