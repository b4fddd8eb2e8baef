package upstream

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holysheep/relay/internal/breaker"
)

// Names are written out in full, so that a name copied from a dashboard finds
// this file. The label upstream is a name from the configuration.
type metrics struct {
	requests  *prometheus.CounterVec // status: an HTTP status, or "error"
	waiting   *prometheus.GaugeVec
	inFlight  *prometheus.GaugeVec
	healthy   *prometheus.GaugeVec
	ejections *prometheus.CounterVec // reason: the words of breaker.Reasons
	duration  *prometheus.HistogramVec
	fallbacks *prometheus.CounterVec
	keys      *keyMetrics
	tokens    *tokenMetrics
	costs     *costMetrics

	mu      sync.Mutex
	users   map[string]int     // by upstream: the states that count under its name
	current map[string]*meters // by upstream: whose health is shown
}

func newMetrics(reg prometheus.Registerer) *metrics {
	with, upstream := promauto.With(reg), []string{"upstream"}
	return &metrics{
		users: map[string]int{}, current: map[string]*meters{},
		requests: with.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_upstream_requests_total",
			Help: "Requests sent to an upstream, by the status of its answer, or error if there was none.",
		}, []string{"upstream", "status"}),
		waiting: with.NewGaugeVec(prometheus.GaugeOpts{
			Name: "relay_upstream_requests_waiting",
			Help: "Requests sent to an upstream that has not begun to answer yet.",
		}, upstream),
		inFlight: with.NewGaugeVec(prometheus.GaugeOpts{
			Name: "relay_upstream_requests_in_flight",
			Help: "Requests sent to an upstream whose answer has not ended yet.",
		}, upstream),
		healthy: with.NewGaugeVec(prometheus.GaugeOpts{
			Name: "relay_upstream_healthy",
			Help: "Whether an upstream is asked as usual (1), or left alone or on trial (0).",
		}, upstream),
		ejections: with.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_upstream_ejections_total",
			Help: "How often an upstream was left alone, by why.",
		}, []string{"upstream", "reason"}),
		duration: with.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "relay_upstream_duration_seconds",
			Help:    "Time from sending a request to an upstream to the header of its answer.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600},
		}, upstream),
		fallbacks: with.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_fallbacks_total",
			Help: "Requests sent to an upstream for a model that the one asked for falls back on.",
		}, upstream),
		keys:   newKeyMetrics(reg),
		tokens: newTokenMetrics(reg),
		costs:  newCostMetrics(reg),
	}
}

// meters are the metrics of one upstream, looked up once.
type meters struct {
	all  *metrics
	name string

	waiting, inFlight, healthy prometheus.Gauge
	duration                   prometheus.Observer
	fallbacks                  prometheus.Counter
	ejections                  map[breaker.Reason]prometheus.Counter
	answers                    [500]atomic.Pointer[prometheus.Counter] // by status less 100, as they come
	errors                     prometheus.Counter
	tokens                     tokenMeters
}

// of returns the meters of the named upstream. Whoever gets them releases them.
func (m *metrics) of(name string) *meters {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users[name]++
	one := &meters{
		all: m, name: name,
		waiting: m.waiting.WithLabelValues(name), inFlight: m.inFlight.WithLabelValues(name),
		healthy: m.healthy.WithLabelValues(name), duration: m.duration.WithLabelValues(name),
		fallbacks: m.fallbacks.WithLabelValues(name), errors: m.requests.WithLabelValues(name, "error"),
		ejections: map[breaker.Reason]prometheus.Counter{}, tokens: m.tokens.of(name),
	}
	for _, why := range breaker.Reasons() {
		one.ejections[why] = m.ejections.WithLabelValues(name, string(why))
	}
	return one
}

// begin has these meters show the health of the upstream from now on: another
// generation may know it under the same name at another place.
func (m *meters) begin(healthy bool) {
	m.all.mu.Lock()
	m.all.current[m.name] = m
	m.all.mu.Unlock()
	m.show(healthy)
}

// show shows the health of the upstream.
func (m *meters) show(healthy bool) {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	if m.all.current[m.name] != m {
		return
	}
	value := 0.
	if healthy {
		value = 1
	}
	m.healthy.Set(value)
}

// release ends the series of an upstream that nobody has any more.
func (m *meters) release() {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	if m.all.users[m.name]--; m.all.users[m.name] > 0 {
		return
	}
	delete(m.all.users, m.name)
	delete(m.all.current, m.name)
	gone := prometheus.Labels{"upstream": m.name}
	for _, vec := range []interface {
		DeletePartialMatch(labels prometheus.Labels) int
	}{
		m.all.requests, m.all.waiting, m.all.inFlight, m.all.healthy, m.all.ejections, m.all.duration, m.all.fallbacks,
		m.all.tokens.tokens, m.all.tokens.first,
	} {
		vec.DeletePartialMatch(gone)
	}
}

// sent counts a request that is about to be sent.
func (m *meters) sent() { m.waiting.Inc() }

// answered counts what a request came to, nil if there was no answer, which
// took so long.
func (m *meters) answered(res *http.Response, took time.Duration) {
	m.waiting.Dec()
	if res == nil || res.StatusCode < 100 || res.StatusCode > 599 {
		m.errors.Inc()
		return
	}
	m.duration.Observe(took.Seconds())
	place := &m.answers[res.StatusCode-100]
	c := place.Load()
	if c == nil {
		counter := m.all.requests.WithLabelValues(m.name, strconv.Itoa(res.StatusCode))
		c = &counter
		place.Store(c)
	}
	(*c).Inc()
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

func newTokenMetrics(reg prometheus.Registerer) *tokenMetrics {
	return &tokenMetrics{
		tokens: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "relay_upstream_tokens_total",
			Help: "Tokens of an upstream's answers by kind, cached being those of the input that it had in its cache, and by how they are known.",
		}, []string{"upstream", "kind", "source"}),
		first: promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{
			Name: "relay_upstream_first_token_seconds",
			Help: "Time from sending a request to an upstream to the first event of its stream that has content.",
			// From an answer out of a cache to a model that reasons for minutes.
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600},
		}, []string{"upstream"}),
	}
}

func newCostMetrics(reg prometheus.Registerer) *costMetrics {
	return &costMetrics{
		dollars: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "relay_cost_dollars_total",
			Help: "What upstreams' answers cost by the prices of the configuration, in US dollars, and what they would have cost at the models' makers.",
		}, []string{"model", "price"}),
		unpriced: promauto.With(reg).NewCounter(prometheus.CounterOpts{
			Name: "relay_cost_unpriced_tokens_total",
			Help: "Tokens of upstreams' answers, input and output, whose models have no price in the configuration.",
		}),
	}
}
