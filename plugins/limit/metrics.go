package limit

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are the collectors of the plugin. They outlive every generation.
// Names are written out in full, so that a name copied from a dashboard finds
// this file.
type metrics struct {
	decisions *prometheus.CounterVec // by rule: "max_in_flight" and those of the configuration; by decision: "admitted", the codes of the answers, and of shadows the same after "shadow_"
	inFlight  *prometheus.GaugeVec   // by rule, as above
	tokens    *prometheus.CounterVec // by rule; by kind: "tokens", "input_tokens", "output_tokens"; by change: "reserved", "refunded", "debt"
	dollars   *prometheus.CounterVec // by rule; by change, as above
	active    prometheus.Gauge
	remaining *prometheus.GaugeVec // by upstream: those of the configuration; by kind: "requests", "tokens"

	current atomic.Pointer[limiter] // the generation that active speaks of
}

func newMetrics(reg prometheus.Registerer) *metrics {
	auto := promauto.With(reg)
	return &metrics{
		decisions: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_limit_decisions_total",
			Help: "Decisions on requests: one admitted counts for every rule that it is a matter of, one refused for the rule that its answer names.",
		}, []string{"rule", "decision"}),
		inFlight: auto.NewGaugeVec(prometheus.GaugeOpts{
			Name: "relay_limit_in_flight",
			Help: "Requests that hold a slot of the rule in this replica.",
		}, []string{"rule"}),
		tokens: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_limit_tokens_total",
			Help: "Tokens that were reserved, given back since they were not used, and used beyond what was reserved.",
		}, []string{"rule", "kind", "change"}),
		dollars: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_limit_dollars_total",
			Help: "US dollars of budgets that were reserved, given back, and spent beyond what was reserved.",
		}, []string{"rule", "change"}),
		active: auto.NewGauge(prometheus.GaugeOpts{
			Name: "relay_limit_rules_active",
			Help: "Rules of the current configuration that limit something.",
		}),
		remaining: auto.NewGaugeVec(prometheus.GaugeOpts{
			Name: "relay_limit_upstream_remaining",
			Help: "What the upstream's own limit had left, as its last answer told.",
		}, []string{"upstream", "kind"}),
	}
}
