package upstream

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holysheep/relay/plugins"
)

// tokenMetrics are those of what is in the answers. Names are written out in
// full here too.
type tokenMetrics struct {
	tokens     *prometheus.CounterVec // kind: "input", "output", "cached"; source: how it is known
	firstToken *prometheus.HistogramVec
}

func newTokenMetrics(reg prometheus.Registerer) *tokenMetrics {
	return &tokenMetrics{
		tokens: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "relay_upstream_tokens_total",
			Help: "Tokens of answers, by kind, input, output, or cached for those of input that the upstream had in its cache, and by how they are known: reported, estimated or partial.",
		}, []string{"upstream", "kind", "source"}),
		firstToken: promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{
			Name: "relay_upstream_first_token_seconds",
			Help: "Time from sending a request to the first event of its stream that has content.",
			// From a cache's answer to a model that reasons for many minutes.
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600},
		}, []string{"upstream"}),
	}
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
