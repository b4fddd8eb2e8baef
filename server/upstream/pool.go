package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/holysheep/relay/internal/breaker"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// Errors that the pool answers itself.
var (
	// ErrNoUpstream says that the configuration names no upstream.
	ErrNoUpstream = errors.New("upstreams: none is configured: set BASE_URL or upstreams.<name>.base_url")

	// ErrModel says that no upstream serves the model that was asked for.
	// Nothing was sent.
	ErrModel = &plugins.Error{
		Status: http.StatusNotFound, Type: "invalid_request_error", Code: "model_not_found",
		Message: "no upstream serves this model",
	}

	// ErrKey says that the upstream refused the relay's own key (401). Passed on
	// as it is, clients would look for the fault in theirs.
	ErrKey = &plugins.Error{
		Status: http.StatusBadGateway, Type: "upstream_error", Code: "upstream_unauthorized",
		Message: "the upstream refused the relay's own credentials", Again: true,
	}

	// ErrEmptyStream says that a stream ended before it said anything.
	ErrEmptyStream = &plugins.Error{
		Status: http.StatusBadGateway, Type: "upstream_error", Code: "upstream_empty_stream",
		Message: "the upstream's stream ended before it said anything", Again: true,
	}

	// ErrFirstToken says that a stream said nothing within first_token_timeout.
	ErrFirstToken = &plugins.Error{
		Status: http.StatusGatewayTimeout, Type: "upstream_error", Code: "upstream_first_token_timeout",
		Message: "the upstream's stream said nothing in time", Again: true,
	}
)

// Config is what a pool is made of.
type Config struct {
	// Upstreams are the upstreams by name.
	Upstreams map[string]Settings

	// Fallbacks are, for a model, those that are asked in its place when every
	// upstream that serves it is out, in this order.
	Fallbacks map[string][]string

	// Health says when an upstream is left alone.
	Health Health

	// Dial, if not nil, connects to upstreams and their proxies in place of the
	// network.
	Dial Dial
}

// A Dial connects to an address, as [net.Dialer.DialContext] does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// A Pool is many upstreams that are asked as if they were one. It is the
// innermost [http.RoundTripper] of the chain and safe for concurrent use.
type Pool struct {
	config  Config
	members []*member // by priority, then name
	routes  bool      // whether it matters to any member, or to a fallback, which model is asked for
	wires   wireSet   // that any member speaks
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics
	prices  plugins.Prices
	probes  probes
}

// A member is one upstream, ready to be asked.
type member struct {
	name    string
	set     Settings
	base    *url.URL // without the last slash of its path
	headers []header
	keys    *keys
	client  http.RoundTripper
	wires   wireSet
	state   *state
	list    *listed // nil if it has none
}

// New returns a pool of the given upstreams. Keys are read by env.Secret,
// connections and health are kept over a reload by env.Keep. Every problem is
// reported at once.
func New(c Config, env plugins.Env) (*Pool, error) {
	if len(c.Upstreams) == 0 {
		return nil, ErrNoUpstream
	}
	m, err := plugins.Keep(env, "metrics", func() (*metrics, error) { return newMetrics(env.Metrics), nil })
	if err != nil {
		return nil, err
	}
	p := &Pool{config: c, log: env.Log, now: env.Now, metrics: m, prices: env.Prices, routes: len(c.Fallbacks) > 0}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.Upstreams)) {
		one, err := newMember(name, c.Upstreams[name], c.Dial, env, m.keys)
		if err == nil {
			one.state, err = newState(name, one.set, c.Health, m, env)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("upstreams.%s.%w", name, err))
			continue
		}
		one.wires = wiresOf(one.set, c.Upstreams)
		p.members = append(p.members, one)
		p.routes = p.routes || one.set.routed()
		p.wires |= one.wires
	}
	slices.SortStableFunc(p.members, func(a, b *member) int { return a.set.Priority - b.set.Priority })
	errs = append(errs, p.keepLists(env))
	if err := errors.Join(errs...); err != nil {
		return p, err // one that was left out may serve what fallbacks name
	}
	return p, p.checkFallbacks()
}

func newMember(name string, s Settings, dial Dial, env plugins.Env, kept *keyMetrics) (m *member, err error) {
	m = &member{name: name, set: s, headers: s.headers()}
	if m.base, err = url.Parse(strings.TrimRight(s.BaseURL, "/")); err != nil {
		return nil, errors.New("base_url: not a URL")
	}
	if m.keys, err = newKeys(name, s, env, kept); err != nil {
		return nil, err
	}
	m.client, err = transport(name, s, dial, env)
	return m, err
}

// An asking is one attempt on its way through the pool.
type asking struct {
	*Pool
	call    *plugins.Call
	attempt *plugins.Attempt
	route   wire.Route
	strict  bool // the client wants no other model

	// What pick has chosen.
	member    *member
	key       *key   // never nil
	model     string // that clients know; "" is none
	ticket    breaker.Ticket
	elsewhere int // others that are as good, at other upstreams

	sent   time.Time // when the request was; zero if it was not
	upload upload    // of its body
	added  bool      // include_usage, which the client did not ask for

	// What the answer passes through, see there.
	vigil vigil
	end   followed

	settled bool // what it came to is taken down
}

// RoundTrip asks one upstream. It goes by the request's model, and prefers
// upstreams that this request has not asked before.
func (p *Pool) RoundTrip(req *http.Request) (*http.Response, error) {
	a := &asking{Pool: p, call: plugins.CallOf(req.Context()), attempt: plugins.AttemptOf(req.Context())}
	a.route, _ = wire.OfURL(req.URL)
	if p.lists(req) {
		return p.list(req, a.call)
	}
	a.strict = refusesFallback(req.Header)
	if a.attempt == nil {
		a.attempt = &plugins.Attempt{}
	}
	if a.route.Inspected() {
		a.call.Ask() // now: what the answer costs is reckoned by it, when nobody waits for the body any more
	}
	if err := p.pick(a); err != nil {
		return nil, err
	}
	defer a.abandon()
	res, err := a.send(req)
	if err == nil {
		res, err = a.judgeKey(req, res)
	}
	if err == nil {
		res, err = a.inspect(req, res)
	}
	return a.settle(req, res, err)
}

// send sends the request to the upstream that was chosen.
func (a *asking) send(req *http.Request) (*http.Response, error) {
	out, err := a.edit(req)
	if err != nil {
		a.attempt.SetUnsent()
		return nil, err
	}
	meters := a.member.state.meters
	meters.sent()
	a.sent = a.now()
	res, err := a.exchange(out)
	meters.answered(res, a.now().Sub(a.sent))
	return res, err
}
