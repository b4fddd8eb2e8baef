package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/holysheep/relay/internal/scrub"
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
}

// A Pool is many upstreams that are asked as if they were one. It is the
// innermost [http.RoundTripper] of the chain and safe for concurrent use.
type Pool struct {
	config  Config
	members []*member // by priority, then name
	routes  bool      // whether any member serves only some models
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics
}

// A member is one upstream, ready to be asked.
type member struct {
	name    string
	set     Settings
	base    *url.URL // without the last slash of its path
	headers []header
	keys    *keys
	client  http.RoundTripper

	failing atomic.Bool // the latest request that ended found nobody there
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
	p := &Pool{config: c, log: env.Log, now: env.Now, metrics: m}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.Upstreams)) {
		one, err := newMember(name, c.Upstreams[name], env, m.keys)
		if err != nil {
			errs = append(errs, fmt.Errorf("upstreams.%s: %w", name, err))
			continue
		}
		p.members = append(p.members, one)
		p.routes = p.routes || len(one.set.Models) > 0 || len(one.set.Rewrite) > 0
	}
	slices.SortStableFunc(p.members, func(a, b *member) int { return a.set.Priority - b.set.Priority })
	return p, errors.Join(errs...)
}

func newMember(name string, s Settings, env plugins.Env, kept *keyMetrics) (m *member, err error) {
	m = &member{name: name, set: s, headers: s.headers()}
	if m.base, err = url.Parse(strings.TrimRight(s.BaseURL, "/")); err != nil {
		return nil, errors.New("base_url: not a URL")
	}
	if m.keys, err = newKeys(name, s, env, kept); err != nil {
		return nil, err
	}
	m.client, err = transport(name, s, env)
	return m, err
}

// An asking is one attempt on its way through the pool.
type asking struct {
	*Pool
	call    *plugins.Call
	attempt *plugins.Attempt
	route   wire.Route

	// What pick has chosen.
	member *member
	key    *key   // never nil
	model  string // that clients know; "" is none

	added bool // include_usage, which the client did not ask for
}

// RoundTrip asks one upstream. It goes by the request's model, and prefers
// upstreams that this request has not asked before.
func (p *Pool) RoundTrip(req *http.Request) (*http.Response, error) {
	a := &asking{Pool: p, call: plugins.CallOf(req.Context()), attempt: plugins.AttemptOf(req.Context())}
	a.route, _ = wire.Of(req.URL.EscapedPath())
	if a.attempt == nil {
		a.attempt = &plugins.Attempt{}
	}
	if err := p.pick(a); err != nil {
		return nil, err
	}
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
	done := a.metrics.ask(a.member.name)
	res, err := a.exchange(out)
	done(res)
	return res, err
}

// settle takes down what the attempt came to, and returns it.
func (a *asking) settle(req *http.Request, res *http.Response, err error) (*http.Response, error) {
	a.tell(req.Context(), a.member, err)
	return res, err
}

// tell logs when an upstream begins to fail and when it answers again, once
// each: where a spare one answers, nobody else would say so. A request that was
// given up says nothing about the upstream.
func (p *Pool) tell(ctx context.Context, m *member, err error) {
	_, known := plugins.AsError(err)
	switch {
	case err == nil || known:
		if m.failing.Load() && m.failing.Swap(false) {
			p.log.InfoContext(ctx, "an upstream answers again", "upstream", m.name)
		}
	case ctx.Err() == nil && !m.failing.Swap(true):
		p.log.WarnContext(ctx, "an upstream does not answer", "upstream", m.name, "err", scrub.Error(err))
	}
}
