package cache

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	dto "github.com/prometheus/client_model/go"
)

// metrics live as long as the process. Names are written out in full, so that a
// name copied from a dashboard finds this file.
type metrics struct {
	hits, misses, bypasses prometheus.Counter            // by result: "hit", "miss", "bypass"
	bypassed               map[string]prometheus.Counter // by reason: the why… of rules.go
	stored                 prometheus.Counter
	refused                map[string]prometheus.Counter // by reason: the why… of record.go
	evicted                prometheus.Counter

	current atomic.Pointer[store] // the store of the current configuration
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{}
	with := promauto.With(reg)
	results := with.NewCounterVec(prometheus.CounterOpts{
		Name: "relay_cache_requests_total",
		Help: "Requests that reached the cache, by what it did.",
	}, []string{"result"})
	m.hits, m.misses = results.WithLabelValues("hit"), results.WithLabelValues("miss")
	m.bypasses = results.WithLabelValues("bypass")
	m.bypassed = byReason(with.NewCounterVec(prometheus.CounterOpts{
		Name: "relay_cache_bypassed_total",
		Help: "Requests that were passed on without a look at the store, by why.",
	}, []string{"reason"}),
		whyOff, whyMethod, whyEndpoint, whyHeader, whyBody, whyStream, whySampled, whyEffect, whyTools)
	m.stored = with.NewCounter(prometheus.CounterOpts{
		Name: "relay_cache_stored_total",
		Help: "Answers that were stored.",
	})
	m.refused = byReason(with.NewCounterVec(prometheus.CounterOpts{
		Name: "relay_cache_not_stored_total",
		Help: "Answers to misses that were not stored, by why.",
	}, []string{"reason"}),
		whyError, whyStatus, whyForbidden, whyType, whyTooLong, whyIncomplete, whyContent, whyFallback)
	m.evicted = with.NewCounter(prometheus.CounterOpts{
		Name: "relay_cache_evicted_total",
		Help: "Stored answers that had to leave for others.",
	})
	with.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "relay_cache_bytes",
		Help: "Memory in use for stored answers, in bytes.",
	}, m.gauge(func(s *store) float64 { return float64(s.bytes()) }))
	with.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "relay_cache_entries",
		Help: "Answers in the store, those that are too old included.",
	}, m.gauge(func(s *store) float64 { return float64(s.entries()) }))
	return m
}

// bypass counts a request that was passed on.
func (m *metrics) bypass(why string) {
	m.bypasses.Inc()
	m.bypassed[why].Inc()
}

// refuse counts an answer that is not stored.
func (m *metrics) refuse(why string) { m.refused[why].Inc() }

// gauge reads a number off the store of the current configuration.
func (m *metrics) gauge(read func(*store) float64) func() float64 {
	return func() float64 {
		if s := m.current.Load(); s != nil {
			return read(s)
		}
		return 0
	}
}

// byReason returns a counter for each reason, so that all are there from the
// start.
func byReason(vec *prometheus.CounterVec, reasons ...string) map[string]prometheus.Counter {
	counters := make(map[string]prometheus.Counter, len(reasons))
	for _, r := range reasons {
		counters[r] = vec.WithLabelValues(r)
	}
	return counters
}

// count returns the value of a counter.
func count(c prometheus.Counter) uint64 {
	var m dto.Metric
	_ = c.Write(&m) // a counter of ours has no label that could be wrong
	return uint64(m.GetCounter().GetValue())
}
