package limit

import (
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holysheep/relay/internal/fairqueue"
)

// metrics are the collectors of the plugin. They outlive every generation.
// Names are written out in full, so that a name copied from a dashboard finds
// this file.
type metrics struct {
	decisions *prometheus.CounterVec   // by rule: "max_in_flight" and those of the configuration; by decision: "admitted", the codes of the answers, and of shadows the same after "shadow_"
	inFlight  *prometheus.GaugeVec     // by rule, as above
	tokens    *prometheus.CounterVec   // by rule; by kind: "tokens", "input_tokens", "output_tokens"; by change: "reserved", "refunded", "debt"
	dollars   *prometheus.CounterVec   // by rule; by change, as above
	waiting   *prometheus.GaugeVec     // by rule
	waits     *prometheus.HistogramVec // by rule; by outcome: "turn", "full", "late", "gone"
	positions *prometheus.HistogramVec // by rule
	active    prometheus.Gauge
	remaining *prometheus.GaugeVec // by upstream: those of the configuration; by kind: "requests", "tokens"
	store     storeMetrics

	current atomic.Pointer[limiter] // the generation that active speaks of
}

func newMetrics(reg prometheus.Registerer) *metrics {
	auto := promauto.With(reg)
	m := &metrics{
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
		store: newStoreMetrics(reg),
	}
	m.newQueue(auto)
	return m
}

// newQueue makes the collectors of queues.
func (m *metrics) newQueue(auto promauto.Factory) {
	m.waiting = auto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "relay_limit_queue_length",
		Help: "Requests that wait in the queue of the rule in this replica.",
	}, []string{"rule"})
	m.waits = auto.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "relay_limit_queue_wait_seconds",
		Help:    "How long requests have waited in the queue of the rule, by what ended that.",
		Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"rule", "outcome"})
	m.positions = auto.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "relay_limit_queue_position",
		Help:    "How many requests had a turn before one that came into the queue of the rule.",
		Buckets: []float64{0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000},
	}, []string{"rule"})
}

// queued returns what notes those who leave the queue of the rule.
func (m *metrics) queued(rule string) func(fairqueue.Visit) {
	return func(v fairqueue.Visit) {
		outcome := "gone"
		switch {
		case v.Err == nil:
			outcome = "turn"
		case errors.Is(v.Err, fairqueue.ErrFull):
			outcome = "full"
		case errors.Is(v.Err, fairqueue.ErrLate):
			outcome = "late"
		}
		m.waits.WithLabelValues(rule, outcome).Observe(v.Waited.Seconds())
		if outcome != "full" {
			m.positions.WithLabelValues(rule).Observe(float64(v.Position))
		}
	}
}

// storeMetrics are the collectors of the store that replicas share.
type storeMetrics struct {
	seconds    *prometheus.HistogramVec // by operation: "take", "settle", "renew", "raise", "beat", "leave", "read", "reset"; by outcome: "done", "late", "error"
	changes    *prometheus.CounterVec   // by mode: "shared", "local"
	down       prometheus.Gauge
	waiting    prometheus.Gauge
	dropped    prometheus.Counter
	handedOver prometheus.Counter
	replicas   prometheus.Gauge

	current atomic.Pointer[watch] // the store that down and replicas speak of
}

func newStoreMetrics(reg prometheus.Registerer) storeMetrics {
	auto := promauto.With(reg)
	return storeMetrics{
		seconds: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "relay_limit_store_seconds",
			Help:    "How long operations on the shared store took.",
			Buckets: []float64{.0002, .0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1},
		}, []string{"operation", "outcome"}),
		changes: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_limit_mode_changes_total",
			Help: "Changes of the mode in which requests are decided: to the shared store, and to the replica's share when that cannot be asked.",
		}, []string{"mode"}),
		down: auto.NewGauge(prometheus.GaugeOpts{
			Name: "relay_limit_store_down",
			Help: "1 while the shared store is taken for down.",
		}),
		waiting: auto.NewGauge(prometheus.GaugeOpts{
			Name: "relay_limit_settlements_waiting",
			Help: "Requests that have ended and are not yet settled in the shared store.",
		}),
		dropped: auto.NewCounter(prometheus.CounterOpts{
			Name: "relay_limit_settlements_dropped_total",
			Help: "Requests that were never settled in the shared store: what they did not use stays taken until time gives it back.",
		}),
		handedOver: auto.NewCounter(prometheus.CounterOpts{
			Name: "relay_limit_handed_over_total",
			Help: "Counters of which the shared store was told what had passed without it.",
		}),
		replicas: auto.NewGauge(prometheus.GaugeOpts{
			Name: "relay_limit_replicas",
			Help: "Replicas that share the limits, as far as this one knows.",
		}),
	}
}
