// Package limit refuses requests beyond what the operator allows: so many in
// flight and so many per period, so many tokens, and so much money, for all
// together and for each client, group, model or value of a header. All rules of
// a request are decided in one step, so that a request which one rule refuses
// takes nothing from the others. Tokens and money are estimated and reserved
// before, and settled by what the answer has used.
//
// The counters are those of a [ledger.Ledger]: in this process, or in the Redis
// that replicas share. It does not guard the upstreams' own limits.
package limit

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/holysheep/relay/plugins"
)

var _ plugins.Completer = (*Settings)(nil)

// Plugin limits requests, tokens, money and what is in flight.
var Plugin = plugins.Define("limit", Defaults, New)

// New returns the link that holds requests to s. The counters are those of the
// generations before it, as far as its rules have the same names.
func New(s Settings, env plugins.Env) (plugins.Link, error) {
	l, err := newLimiter(s, env)
	if err != nil {
		return plugins.Link{}, err
	}
	return plugins.Link{
		Fetch:   func(next http.RoundTripper) http.RoundTripper { return &fetcher{limiter: l, next: next} },
		Charges: true,
		Admin:   http.HandlerFunc(l.admin), AdminAt: "/limits",
		Check: l.check,
		Start: l.start,
		Close: l.close,
	}, nil
}

// limiter is one generation of the rules.
type limiter struct {
	ledger  *store
	store   Store // how it is to ask Redis
	slots   *slots
	replica part // max_in_flight among the rules
	rules   []*rule
	metrics *metrics
	log     *slog.Logger
	known   []plugins.Client // whom auth can name

	byModel  bool // some rule wants to know the model
	byTokens bool // some rule wants to know the tokens
	queues   bool // some rule has a queue

	estimate  Estimate
	prices    plugins.Prices
	onBroken  string
	countHits bool
	unpriced  string
	hint      time.Duration
	headers   Headers
	modes     [32]string // of X-Relay-Limit-Mode, by the set of modes
}

func newLimiter(s Settings, env plugins.Env) (l *limiter, err error) {
	l = &limiter{
		log:      env.Log,
		store:    s.Store,
		estimate: s.Estimate, prices: env.Prices, onBroken: s.OnBroken, countHits: s.CountHits,
		unpriced: s.Unpriced, hint: s.Hint, headers: s.Headers, modes: modeTexts(),
	}
	if l.metrics, err = plugins.Keep(env, "metrics", func() (*metrics, error) { return newMetrics(env.Metrics), nil }); err != nil {
		return nil, err
	}
	if l.slots, err = plugins.Keep(env, replica, func() (*slots, error) { return &slots{}, nil }); err != nil {
		return nil, err
	}
	if l.ledger, err = newStore(s, env, l.metrics); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if l.rules, err = newRules(s, l.metrics); err != nil {
		return nil, err
	}
	first := &rule{Rule: Rule{Per: perGlobal, InFlight: s.MaxInFlight}, name: replica, meters: l.metrics.of(replica)}
	first.own[kindFlight] = size{n: s.MaxInFlight, burst: s.MaxInFlight, limit: s.MaxInFlight}
	l.replica = part{first, kindFlight, &first.own[kindFlight]}
	for _, r := range l.rules {
		l.byTokens = l.byTokens || r.own[kindTokens].n+r.own[kindInput].n+r.own[kindOutput].n+r.own[kindBudget].n > 0
		l.byModel = l.byModel || r.byModel()
		if r.queue, err = newQueue(r, env, l.metrics); err != nil {
			return nil, err
		}
		l.queues = l.queues || r.queue != nil
	}
	return l, nil
}

func (l *limiter) start() {
	l.ledger.tune(l.store)
	l.ledger.show()
	l.replica.rule.meters.inFlight()
	for _, r := range append([]*rule{l.replica.rule}, l.rules...) {
		r.show()
		if r.queue != nil {
			r.queue.SetSize(r.Queue.Size)
		}
	}
	l.metrics.current.Store(l)
	l.metrics.active.Set(float64(l.active()))
}

// active returns how many of the rules limit something.
func (l *limiter) active() int {
	if l.replica.size.n > 0 {
		return len(l.rules) + 1
	}
	return len(l.rules)
}

// close says that no rule is active, unless a later generation has taken over.
func (l *limiter) close(context.Context) error {
	if l.metrics.current.CompareAndSwap(l, nil) {
		l.metrics.active.Set(0)
	}
	return nil
}
