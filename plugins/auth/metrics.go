package auth

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holysheep/relay/plugins"
)

// Names are written out in full, so that a name copied from a dashboard finds
// this file.
type metrics struct {
	requests map[string]prometheus.Counter // by outcome, see there

	// Of the current configuration, and gone with it.
	ring    atomic.Pointer[ring]
	clients *prometheus.Desc
	expiry  *prometheus.Desc // by client and key, names in the configuration
}

func newMetrics(reg prometheus.Registerer) *metrics {
	requests := promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
		Name: "relay_auth_requests_total",
		Help: "Requests by whether and why their credential was accepted or refused.",
	}, []string{"outcome"})
	m := &metrics{
		requests: map[string]prometheus.Counter{},
		clients: prometheus.NewDesc("relay_auth_clients",
			"Clients in the current configuration, disabled ones included.", nil, nil),
		expiry: prometheus.NewDesc("relay_auth_key_expiry_timestamp_seconds",
			"When a client's key expires, in seconds since 1970. Keys that never do, or are disabled, are left out.",
			[]string{"client", "key"}, nil),
	}
	for _, o := range outcomes() {
		m.requests[o] = requests.WithLabelValues(o)
	}
	reg.MustRegister(m)
	return m
}

// outcomes are the values of the label outcome.
func outcomes() []string {
	return []string{
		"allowed", "missing", "conflicting", "invalid", "expired", "disabled",
		"model_not_allowed", "ambiguous_body",
	}
}

// outcome returns the label of what admit said.
func outcome(err error) string {
	e, refused := plugins.AsError(err)
	if !refused {
		return "allowed"
	}
	switch e.Code {
	case ErrMissing.Code:
		return "missing"
	case ErrConflict.Code:
		return "conflicting"
	case ErrInvalid.Code:
		return "invalid"
	case ErrExpired.Code:
		return "expired"
	case ErrDisabled.Code:
		return "disabled"
	case ErrModelNotAllowed.Code:
		return "model_not_allowed"
	}
	return "ambiguous_body"
}

func (m *metrics) count(err error) { m.requests[outcome(err)].Inc() }

// show makes r the ring whose keys the metrics tell of.
func (m *metrics) show(r *ring) { m.ring.Store(r) }

// hide forgets r, unless another ring has taken its place.
func (m *metrics) hide(r *ring) { m.ring.CompareAndSwap(r, nil) }

// Describe implements [prometheus.Collector].
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.clients
	ch <- m.expiry
}

// Collect implements [prometheus.Collector]. Series are made as they are asked
// for, so that those of a removed key are gone at once and none is ever
// missing in between.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	r := m.ring.Load()
	if r == nil {
		return
	}
	ch <- prometheus.MustNewConstMetric(m.clients, prometheus.GaugeValue, float64(len(r.clients)))
	for _, e := range r.keys {
		if !e.expires.IsZero() && !e.disabled {
			ch <- prometheus.MustNewConstMetric(m.expiry, prometheus.GaugeValue, float64(e.expires.Unix()), e.client.Name, e.key)
		}
	}
}
