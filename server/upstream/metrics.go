package upstream

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Names are written out in full, so that a name copied from a dashboard finds
// this file. The label upstream is a name from the configuration.
type metrics struct {
	requests *prometheus.CounterVec // status: an HTTP status, or "error"
	inFlight *prometheus.GaugeVec
	keys     *keyMetrics
}

func newMetrics(reg prometheus.Registerer) *metrics {
	return &metrics{
		requests: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "relay_upstream_requests_total",
			Help: "Requests sent to an upstream, by the status of its answer, or error if there was none.",
		}, []string{"upstream", "status"}),
		inFlight: promauto.With(reg).NewGaugeVec(prometheus.GaugeOpts{
			Name: "relay_upstream_requests_waiting",
			Help: "Requests sent to an upstream that has not begun to answer yet.",
		}, []string{"upstream"}),
		keys: newKeyMetrics(reg),
	}
}

// ask counts a request to the upstream; the result is called with its answer,
// nil if there was none.
func (m *metrics) ask(upstream string) (done func(*http.Response)) {
	waiting := m.inFlight.WithLabelValues(upstream)
	waiting.Inc()
	return func(res *http.Response) {
		waiting.Dec()
		status := "error"
		if res != nil && res.StatusCode >= 100 && res.StatusCode <= 599 {
			status = strconv.Itoa(res.StatusCode)
		}
		m.requests.WithLabelValues(upstream, status).Inc()
	}
}

func newKeyMetrics(reg prometheus.Registerer) *keyMetrics {
	m := &keyMetrics{
		ejections: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "relay_upstream_key_ejections_total",
			Help: "How often a key of an upstream was left alone for a while, by why: unauthorized (401), forbidden (403) or quota.",
		}, []string{"upstream", "reason"}),
		ejected: prometheus.NewDesc("relay_upstream_keys_ejected",
			"Keys of an upstream that are left alone for a while.", []string{"upstream"}, nil),
		live: map[*keyState]struct{}{},
	}
	reg.MustRegister(m)
	return m
}
