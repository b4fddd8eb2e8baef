package cache

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	dto "github.com/prometheus/client_model/go"

	"github.com/holysheep/relay/internal/shelf"
	"github.com/holysheep/relay/plugins"
)

// unpriced stands for the models that have no price.
const unpriced = "other"

// How a replica has waited for what another one was asking for.
const (
	waitShared = "shared" // its answer came
	waitAlone  = "alone"  // it did not come in time
)

// metrics live as long as the process. Names are written out in full, so that a
// name copied from a dashboard finds this file.
type metrics struct {
	results  map[result]prometheus.Counter
	tiers    map[shelf.Tier]prometheus.Counter // of hits
	bypassed map[string]prometheus.Counter     // by reason: the why… of rules.go
	stored   prometheus.Counter
	refused  map[string]prometheus.Counter // by reason: the why… of unfit.go
	evicted  prometheus.Counter
	savings

	flights   prometheus.Gauge
	refreshes prometheus.Counter
	waited    map[string]prometheus.Counter
	failed    map[string]prometheus.Counter // by operation
	damaged   prometheus.Counter
	lookups   map[string]prometheus.Counter // of questions by what they mean

	current atomic.Pointer[link] // of the current configuration
}

func newMetrics(reg prometheus.Registerer) *metrics {
	with := promauto.With(reg)
	m := &metrics{savings: newSavings(with)}
	results := with.NewCounterVec(prometheus.CounterOpts{
		Name: "relay_cache_requests_total",
		Help: "Requests that reached the cache, by what it did.",
	}, []string{"result"})
	m.results = map[result]prometheus.Counter{
		hit: results.WithLabelValues("hit"), miss: results.WithLabelValues("miss"), bypass: results.WithLabelValues("bypass"),
		coalesced: results.WithLabelValues("coalesced"), stale: results.WithLabelValues("stale"),
	}
	tiers := with.NewCounterVec(prometheus.CounterOpts{
		Name: "relay_cache_hits_total",
		Help: "Stored answers that were given while they were fresh, by where they were found.",
	}, []string{"tier"})
	m.tiers = map[shelf.Tier]prometheus.Counter{
		shelf.Memory: tiers.WithLabelValues("memory"), shelf.Redis: tiers.WithLabelValues("redis"),
	}
	m.bypassed = byLabel(with.NewCounterVec(prometheus.CounterOpts{
		Name: "relay_cache_bypassed_total",
		Help: "Requests that were passed on without a look at the store, by why.",
	}, []string{"reason"}), whyOff, whyMethod, whyEndpoint, whyHeader, whyBody, whySampled, whyEffect, whyTools)
	m.stored = with.NewCounter(prometheus.CounterOpts{
		Name: "relay_cache_stored_total",
		Help: "Answers that were stored.",
	})
	m.refused = byLabel(with.NewCounterVec(prometheus.CounterOpts{
		Name: "relay_cache_not_stored_total",
		Help: "Answers to misses that were not stored, by why.",
	}, []string{"reason"}),
		whyError, whyStatus, whyForbidden, whyType, whyTooLong, whyNoRoom, whyIncomplete, whyContent, whyFallback, whyPurged)
	m.evicted = with.NewCounter(prometheus.CounterOpts{
		Name: "relay_cache_evicted_total",
		Help: "Stored answers that had to leave memory for others.",
	})
	m.onTheWay(with)
	m.gauges(with)
	return m
}

// onTheWay registers what tells of asking.
func (m *metrics) onTheWay(with promauto.Factory) {
	m.flights = with.NewGauge(prometheus.GaugeOpts{
		Name: "relay_cache_flights",
		Help: "Answers that are being asked for.",
	})
	m.refreshes = with.NewCounter(prometheus.CounterOpts{
		Name: "relay_cache_refreshes_total",
		Help: "Answers that were asked for anew in the background.",
	})
	m.waited = byLabel(with.NewCounterVec(prometheus.CounterOpts{
		Name: "relay_cache_waits_total",
		Help: "Waits for an answer that another replica was asking for, by whether it came.",
	}, []string{"outcome"}), waitShared, waitAlone)
	m.failed = byLabel(with.NewCounterVec(prometheus.CounterOpts{
		Name: "relay_cache_redis_errors_total",
		Help: "Times that Redis did not do what the cache asked of it in time, by what that was.",
	}, []string{"operation"}), "get", "put", "lease", "purge")
	m.damaged = with.NewCounter(prometheus.CounterOpts{
		Name: "relay_cache_damaged_total",
		Help: "Values in Redis that were no answers, and were removed.",
	})
	m.lookups = byLabel(with.NewCounterVec(prometheus.CounterOpts{
		Name: "relay_cache_semantic_lookups_total",
		Help: "Questions that were compared with answered ones by what they mean, by what came of it.",
	}, []string{"result"}), lookupHit, lookupMiss, lookupError)
}

// gauges registers what is read off the current configuration.
func (m *metrics) gauges(with promauto.Factory) {
	gauge := func(name, help string, read func(*link) float64) {
		with.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if l := m.current.Load(); l != nil {
				return read(l)
			}
			return 0
		})
	}
	gauge("relay_cache_bytes", "Memory in use for stored answers, in bytes.", func(l *link) float64 { return float64(l.shelf.Bytes()) })
	gauge("relay_cache_entries", "Answers in memory, those that are too old included.", func(l *link) float64 { return float64(l.shelf.Entries()) })
	gauge("relay_cache_semantic_entries", "Questions in memory that are found by what they mean.", func(l *link) float64 { return float64(l.semantic.entries()) })
	gauge("relay_cache_recording_bytes", "Memory in use for answers on their way, in bytes.", func(l *link) float64 { return float64(l.room.Used()) })
}

// refuse counts an answer that is not stored.
func (m *metrics) refuse(why string) { m.refused[why].Inc() }

// savings are what stored answers have saved.
type savings struct {
	tokens  *prometheus.CounterVec // by model and kind
	dollars *prometheus.CounterVec // by model
}

func newSavings(with promauto.Factory) savings {
	return savings{
		tokens: with.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_cache_saved_tokens_total",
			Help: "Tokens of answers that were given again, by the model's price and kind.",
		}, []string{"model", "kind"}),
		dollars: with.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_cache_saved_usd_total",
			Help: "What answers that were given again would have cost, in US dollars, by the model's price.",
		}, []string{"model"}),
	}
}

// save counts an answer that was given again: what it had used, and what that
// costs in nanodollars.
func (s *savings) save(model string, u plugins.Usage, cost int64) {
	s.tokens.WithLabelValues(model, "input").Add(float64(u.Input))
	s.tokens.WithLabelValues(model, "output").Add(float64(u.Output))
	if cost > 0 {
		s.dollars.WithLabelValues(model).Add(float64(cost) / plugins.Dollar)
	}
}

// byLabel returns a counter for each value of the vector's one label, so that
// all are there from the start.
func byLabel(vec *prometheus.CounterVec, values ...string) map[string]prometheus.Counter {
	counters := make(map[string]prometheus.Counter, len(values))
	for _, v := range values {
		counters[v] = vec.WithLabelValues(v)
	}
	return counters
}

// count returns the value of a counter.
func count(c prometheus.Counter) uint64 {
	var m dto.Metric
	_ = c.Write(&m) // a counter of ours has no label that could be wrong
	return uint64(m.GetCounter().GetValue())
}
