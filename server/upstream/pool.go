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

	"github.com/holysheep/relay/internal/scrub"
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
		Message: "the upstream refused the relay's own credentials",
	}
)

// A Pool is many upstreams that are asked as if they were one. It is the
// innermost [http.RoundTripper] of the chain and safe for concurrent use.
type Pool struct {
	members []*member // by priority, then name
	routes  bool      // whether any member serves only some models
	log     *slog.Logger
	metrics *metrics
}

// A member is one upstream, ready to be asked.
type member struct {
	name   string
	set    Settings
	base   *url.URL // without the last slash of its path
	key    string   // "" sends no key
	client http.RoundTripper

	failing atomic.Bool // the latest request that ended found nobody there
}

// New returns a pool of the given upstreams, by name. Keys are read by
// env.Secret, connections are kept over a reload by env.Keep. Every problem is
// reported at once.
func New(settings map[string]Settings, env plugins.Env) (*Pool, error) {
	if len(settings) == 0 {
		return nil, ErrNoUpstream
	}
	m, err := plugins.Keep(env, "metrics", func() (*metrics, error) { return newMetrics(env.Metrics), nil })
	if err != nil {
		return nil, err
	}
	p := &Pool{log: env.Log, metrics: m}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		one, err := newMember(name, settings[name], env)
		if err != nil {
			errs = append(errs, fmt.Errorf("upstreams.%s: %w", name, err))
			continue
		}
		p.members = append(p.members, one)
		p.routes = p.routes || len(one.set.Models) > 0
	}
	slices.SortStableFunc(p.members, func(a, b *member) int { return a.set.Priority - b.set.Priority })
	return p, errors.Join(errs...)
}

func newMember(name string, s Settings, env plugins.Env) (*member, error) {
	base, err := url.Parse(strings.TrimRight(s.BaseURL, "/"))
	if err != nil {
		return nil, errors.New("base_url: not a URL")
	}
	m := &member{name: name, set: s, base: base}
	if s.APIKeyEnv != "" || s.APIKeyFile != "" {
		if m.key, err = env.Secret(s.APIKeyEnv, s.APIKeyFile); err != nil {
			return nil, fmt.Errorf("api_key: %w", err)
		}
	}
	m.client, err = transport(name, s, env)
	return m, err
}

// RoundTrip asks one upstream. It goes by the request's model, and prefers
// upstreams that this request has not asked before.
func (p *Pool) RoundTrip(req *http.Request) (*http.Response, error) {
	call := plugins.CallOf(req.Context())
	m, err := p.pick(call)
	if err != nil {
		return nil, err
	}
	done := p.metrics.ask(m.name)
	res, err := m.client.RoundTrip(m.address(req))
	done(res)
	p.tell(req.Context(), m, err)
	if err != nil {
		return nil, scrub.Wrap("upstream "+m.name+": ", err)
	}
	if res.StatusCode == http.StatusUnauthorized {
		_ = res.Body.Close()
		p.log.WarnContext(req.Context(), "the upstream refused the relay's key", "upstream", m.name, "request_id", call.ID)
		return nil, ErrKey
	}
	if m.key != "" {
		conceal(res, m.key)
	}
	return res, nil
}

// tell logs when an upstream begins to fail and when it answers again, once
// each: where a spare one answers, nobody else would say so. A request that was
// given up says nothing about the upstream.
func (p *Pool) tell(ctx context.Context, m *member, err error) {
	switch {
	case err == nil:
		if m.failing.Load() && m.failing.Swap(false) {
			p.log.InfoContext(ctx, "an upstream answers again", "upstream", m.name)
		}
	case ctx.Err() == nil && !m.failing.Swap(true):
		p.log.WarnContext(ctx, "an upstream does not answer", "upstream", m.name, "err", scrub.Error(err))
	}
}

// Fingerprints returns the name of every upstream with the fingerprint of its
// key, "" for one without, for operators.
func (p *Pool) Fingerprints(of func(key string) string) map[string]string {
	prints := make(map[string]string, len(p.members))
	for _, m := range p.members {
		if prints[m.name] = ""; m.key != "" {
			prints[m.name] = of(m.key)
		}
	}
	return prints
}

// address returns a copy of req that goes to m, with m's key in place of the
// client's. What the client asks under /v1 is asked under the base URL.
func (m *member) address(req *http.Request) *http.Request {
	out := req.WithContext(unseen(req.Context(), m.key))
	u := *req.URL
	u.Scheme, u.Host = m.base.Scheme, m.base.Host
	u.Path = m.base.Path + strings.TrimPrefix(req.URL.Path, "/v1")
	if u.RawPath != "" || m.base.RawPath != "" {
		u.RawPath = m.base.EscapedPath() + strings.TrimPrefix(req.URL.EscapedPath(), "/v1")
	}
	out.URL, out.Host, out.Header = &u, "", req.Header.Clone()
	if m.key != "" {
		out.Header.Set("Authorization", "Bearer "+m.key)
	}
	return out
}
