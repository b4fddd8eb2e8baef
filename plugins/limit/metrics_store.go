package limit

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holysheep/relay/internal/failover"
	"github.com/holysheep/relay/internal/ledger"
)

var _ failover.Observer = (*storeMetrics)(nil)

// storeMetrics are the collectors of the store that replicas share.
type storeMetrics struct {
	seconds    *prometheus.HistogramVec // by operation: "take", "settle", "renew", "raise", "beat", "leave", "read", "reset"; by outcome: "done", "late", "error"
	changes    *prometheus.CounterVec   // by mode: "shared", "local"
	down       prometheus.Gauge
	waiting    prometheus.Gauge
	dropped    prometheus.Counter
	handedOver prometheus.Counter
	replicas   prometheus.Gauge
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

// Asked implements [failover.Observer].
func (m *storeMetrics) Asked(op string, took time.Duration, err error) {
	outcome := "done"
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		outcome = "late"
	case err != nil:
		outcome = "error"
	}
	m.seconds.WithLabelValues(op, outcome).Observe(took.Seconds())
}

// Changed implements [failover.Observer].
func (m *storeMetrics) Changed(mode ledger.Mode) {
	m.changes.WithLabelValues(mode.String()).Inc()
	if mode == ledger.ModeShared {
		m.down.Set(0)
	} else {
		m.down.Set(1)
	}
}

// Backlog implements [failover.Observer].
func (m *storeMetrics) Backlog(n int) { m.waiting.Set(float64(n)) }

// Dropped implements [failover.Observer].
func (m *storeMetrics) Dropped(n int) { m.dropped.Add(float64(n)) }

// HandedOver implements [failover.Observer].
func (m *storeMetrics) HandedOver(n int) { m.handedOver.Add(float64(n)) }

// Live implements [failover.Observer].
func (m *storeMetrics) Live(n int) { m.replicas.Set(float64(n)) }
