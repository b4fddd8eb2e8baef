package retry

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holysheep/relay/internal/budget"
)

// An outcome is what one attempt came to.
type outcome string

// The outcomes of an attempt.
const (
	answered  outcome = "answer"    // an answer that stands, whatever its status
	failed    outcome = "status"    // an answer that another attempt may better
	faulty    outcome = "fault"     // the same, though not by its status
	broken    outcome = "error"     // no answer: not reached, or broken off
	refused   outcome = "refused"   // a refusal from further in, which stands
	overtaken outcome = "overtaken" // the attempt beside it was faster
	canceled  outcome = "canceled"  // the client left, or the request's time was up
)

// A result is how a request ended.
type result string

// The results of a request.
const (
	none       result = ""            // it has not ended
	first      result = "first"       // settled by the first attempt
	retried    result = "retried"     // settled by a later attempt
	exhausted  result = "exhausted"   // every attempt failed
	tooLong    result = "retry_after" // failed, the upstream wants a longer wait than it may
	tooLate    result = "deadline"    // failed, the request's time ends before the wait
	bodyGone   result = "body"        // failed, the body cannot be sent again
	overBudget result = "budget"      // failed, too many are asked again already
	left       result = "canceled"    // the client left, or the request's time was up
)

// A hedge is what a second attempt beside the first came to.
type hedge string

// What hedges come to.
const (
	hedgeWon      hedge = "won"      // its answer was the first that stands
	hedgeLost     hedge = "lost"     // the first attempt's was
	hedgeFailed   hedge = "failed"   // no answer that stands
	hedgeCanceled hedge = "canceled" // the client left, or the request's time was up
	hedgeDenied   hedge = "budget"   // it was not made: too many are asked again already
)

// settled returns the result of a request that the n-th attempt settled.
func settled(n int) result {
	if n == 1 {
		return first
	}
	return retried
}

// Names are written out in full, so that a name copied from a dashboard finds
// this file.
type metrics struct {
	attempts map[outcome]prometheus.Counter
	requests map[result]prometheus.Counter
	hedges   map[hedge]prometheus.Counter
	waits    prometheus.Histogram

	budget atomic.Pointer[budget.Budget] // of the current configuration
}

func newMetrics(reg prometheus.Registerer) *metrics {
	attempts := promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
		Name: "relay_retry_attempts_total",
		Help: "Attempts to get an answer, first ones included, by what they came to.",
	}, []string{"outcome"})
	requests := promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
		Name: "relay_retry_requests_total",
		Help: "Requests, by how they ended.",
	}, []string{"result"})
	hedges := promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
		Name: "relay_retry_hedges_total",
		Help: "Second attempts beside a first one that took long, by what they came to.",
	}, []string{"outcome"})
	m := &metrics{
		hedges:   map[hedge]prometheus.Counter{},
		attempts: map[outcome]prometheus.Counter{},
		requests: map[result]prometheus.Counter{},
		waits: promauto.With(reg).NewHistogram(prometheus.HistogramOpts{
			Name:    "relay_retry_wait_seconds",
			Help:    "Waits before another attempt, 0 where another upstream was asked at once.",
			Buckets: []float64{0, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}),
	}
	promauto.With(reg).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "relay_retry_budget_left",
		Help: "Retries that could be made now by the budget of the current configuration.",
	}, m.left)
	// Every series is there from the start, at 0, so that a rate sees the first
	// failure.
	for _, o := range []outcome{answered, failed, faulty, broken, refused, overtaken, canceled} {
		m.attempts[o] = attempts.WithLabelValues(string(o))
	}
	for _, r := range []result{first, retried, exhausted, tooLong, tooLate, bodyGone, overBudget, left} {
		m.requests[r] = requests.WithLabelValues(string(r))
	}
	for _, h := range []hedge{hedgeWon, hedgeLost, hedgeFailed, hedgeCanceled, hedgeDenied} {
		m.hedges[h] = hedges.WithLabelValues(string(h))
	}
	return m
}

// left returns how many retries could be made now, 0 before any configuration
// has become the current one.
func (m *metrics) left() float64 {
	if b := m.budget.Load(); b != nil {
		return float64(b.Left())
	}
	return 0
}
