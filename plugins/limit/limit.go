// Package limit refuses requests beyond what the operator allows: so many in
// flight, and so many per period, for all clients together and for each. All
// rules of a request are decided in one step, so that a request which one rule
// refuses takes nothing from the others.
//
// It does not queue, count tokens or money, or share its counters with other
// replicas, and it does not guard the upstreams' own limits.
package limit

import (
	"context"
	"net/http"
	"time"

	"github.com/holysheep/relay/plugins"
)

// Plugin limits requests by rate and by how many are in flight.
var Plugin = plugins.Define("limit", Defaults, New)

// New returns the link that holds requests to s. The counters are those of the
// generations before it, as far as its rules have the same names.
func New(s Settings, env plugins.Env) (plugins.Link, error) {
	m, err := plugins.Keep(env, "metrics", func() (*metrics, error) { return newMetrics(env.Metrics), nil })
	if err != nil {
		return plugins.Link{}, err
	}
	st, err := plugins.Keep(env, "store", func() (*store, error) { return newStore(env.Now), nil })
	if err != nil {
		return plugins.Link{}, err
	}
	rules, err := newRules(s, env, m)
	if err != nil {
		return plugins.Link{}, err
	}
	l := &limiter{store: st, rules: rules, hint: s.Hint, headers: s.Headers, metrics: m}
	return plugins.Link{
		Fetch: func(next http.RoundTripper) http.RoundTripper { return &fetcher{limiter: l, next: next} },
		Admin: http.HandlerFunc(l.admin),
		Start: l.start,
		Close: l.close,
	}, nil
}

// limiter is one generation of the rules.
type limiter struct {
	store   *store
	rules   []*rule
	hint    time.Duration
	headers Headers
	metrics *metrics
}

func (l *limiter) start() {
	l.store.begin(l.rules)
	for _, r := range l.rules {
		r.show()
	}
	l.metrics.current.Store(l)
	l.metrics.active.Set(float64(active(l.rules)))
}

// close says that no rule is active, unless a later generation has taken over.
func (l *limiter) close(context.Context) error {
	if l.metrics.current.CompareAndSwap(l, nil) {
		l.metrics.active.Set(0)
	}
	return nil
}

// fetcher asks next for what the limiter lets through.
type fetcher struct {
	*limiter
	next http.RoundTripper
}

// RoundTrip implements [http.RoundTripper]. A request holds its slots until
// the body of its answer has ended, in whichever way.
func (f *fetcher) RoundTrip(req *http.Request) (*http.Response, error) {
	call := plugins.CallOf(req.Context())
	client, _ := call.Client() // without auth everybody is the client ""
	d := f.store.take(f.rules, client.Name, f.hint)
	d.count(f.rules)
	f.tell(call, d)
	if d.refused() {
		return nil, refusal(d)
	}
	res, err := f.fetch(req, client.Name)
	if err == nil {
		f.metrics.upstream(call.Trail.Last(), res.Header)
	}
	return res, err
}

// fetch asks next and gives the slots back: at once if there is no answer, be
// it for a panic, and with the end of the answer if there is one.
func (f *fetcher) fetch(req *http.Request, client string) (*http.Response, error) {
	watched := false
	defer func() {
		if !watched {
			f.store.release(f.rules, client)
		}
	}()
	res, err := f.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	plugins.Watch(res, nil, func(bool) { f.store.release(f.rules, client) })
	watched = true
	return res, nil
}
