// Package cache answers a request with the stored answer to an equal one of
// the same client, and stores the answers that pass. What is equal is exact:
// the method, the path, the query, the JSON body by value, and the request
// headers that change an answer. An answer is recorded while the client reads
// it, and stored when the client has read it whole.
//
// It stores no stream, nothing that is drawn at random unless told to, and
// nothing for two clients together. It does not share memory between replicas,
// and does not join requests that are on their way at the same time.
package cache

import (
	"net/http"
	"strconv"
	"time"

	"github.com/holysheep/relay/plugins"
)

// Plugin is the cache as the server's main takes it.
var Plugin = plugins.Define("cache", Defaults, New)

// ErrNotCached answers a request that wants a stored answer or none, by
// Cache-Control: only-if-cached, if the store has none (RFC 9111, section
// 5.2.1.7). The official SDKs ask again after a 504 unless they are told not
// to.
var ErrNotCached = &plugins.Error{
	Status:  http.StatusGatewayTimeout,
	Type:    "cache_error",
	Code:    "not_cached",
	Message: "no stored answer may be given to this request, and it forbids to ask for a new one",
	Header:  http.Header{"X-Should-Retry": {"false"}},
}

// New makes a link that answers from the store and fills it. The store is kept
// between configurations.
func New(s Settings, env plugins.Env) (plugins.Link, error) {
	m, err := plugins.Keep(env, "metrics", func() (*metrics, error) { return newMetrics(env.Metrics), nil })
	if err != nil {
		return plugins.Link{}, err
	}
	kept, err := plugins.Keep(env, "store", func() (*store, error) {
		return newStore(s.MaxBytes, m.evicted.Inc)
	})
	if err != nil {
		return plugins.Link{}, err
	}
	shared := transport{rules: newRules(s), ttl: s.TTL, maxValue: int(s.MaxValue), store: kept, metrics: m, now: env.Now}
	return plugins.Link{
		Fetch: func(next http.RoundTripper) http.RoundTripper {
			t := shared
			t.next = next
			return &t
		},
		Admin: &admin{settings: s, store: kept, metrics: m},
		Start: func() {
			kept.resize(s.MaxBytes)
			m.current.Store(kept)
		},
	}, nil
}

// A transport answers from the store what it can, and records the rest.
type transport struct {
	next     http.RoundTripper
	rules    rules
	ttl      time.Duration
	maxValue int
	store    *store
	metrics  *metrics
	now      func() time.Time
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	call := plugins.CallOf(req.Context())
	q, why := t.rules.question(req, call)
	if why != "" {
		t.metrics.bypass(why)
		note(call, "BYPASS")
		return t.fetch(q, req)
	}
	if a, age := t.lookup(q); a != nil {
		t.metrics.hits.Inc()
		note(call, "HIT")
		call.SetHeader("Age", strconv.Itoa(int(age/time.Second)))
		closeBody(req)
		return a.response(req), nil
	}
	t.metrics.misses.Inc()
	note(call, "MISS")
	res, err := t.fetch(q, req)
	if err != nil {
		t.metrics.refuse(whyError)
		return nil, err
	}
	t.record(call, q, res)
	return res, nil
}

// lookup returns the stored answer to q and its age, or nil if there is none
// that q takes. One that is too old stays until a new answer replaces it or
// others need its room.
func (t *transport) lookup(q question) (*keptAnswer, time.Duration) {
	if q.anew {
		return nil, 0
	}
	a := t.store.get(q.place.Key)
	if a == nil {
		return nil, 0
	}
	age := max(0, t.now().Sub(a.since))
	if age >= min(t.ttl, a.most) || age > q.maxAge {
		return nil, 0
	}
	return a, age
}

// fetch asks the upstream, unless the client wants a stored answer or none.
func (t *transport) fetch(q question, req *http.Request) (*http.Response, error) {
	if q.stored {
		closeBody(req)
		return nil, ErrNotCached
	}
	return t.next.RoundTrip(req)
}

// closeBody closes the body of a request that goes no further.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// note tells the client and the access line what the cache did.
func note(call *plugins.Call, status string) {
	call.SetHeader("X-Cache", status)
	call.SetCache(status)
}
