// Package auth is the plugin that decides who may ask: it knows each client by
// one of its keys, of which it holds nothing but the SHA-256, and lets it ask
// for the models that it may use.
//
// It does not take the credential off the request, which the relay does for
// every place in which one may stand, and it does not count or limit what a
// client asks: that is limit's.
package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/plugins"
)

// Plugin is auth, for the list of plugins in main.
var Plugin = plugins.Define("auth", Defaults, New)

// New returns a link that answers clients who hold a key and refuses all
// others. It returns an error if a source of clients cannot be read or all of
// them together hold none.
func New(s Settings, env plugins.Env) (plugins.Link, error) {
	clients, err := s.gather(env)
	if err != nil {
		return plugins.Link{}, err
	}
	r, err := newRing(clients)
	if err != nil {
		return plugins.Link{}, err
	}
	m, err := plugins.Keep(env, "metrics", func() (*metrics, error) { return newMetrics(env.Metrics), nil })
	if err != nil {
		return plugins.Link{}, err
	}
	g := &gate{ring: r, metrics: m, log: env.Log, now: env.Now}
	return plugins.Link{
		Serve:   g.serve,
		Admin:   admin{ring: r, now: env.Now},
		Clients: r.list,
		Start:   func() { m.show(r) },
		Close:   func(context.Context) error { m.hide(r); return nil },
	}, nil
}

// A gate lets requests pass whose credential is a good key on the ring.
type gate struct {
	ring    *ring
	metrics *metrics
	log     *slog.Logger
	now     func() time.Time
}

func (g *gate) serve(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		req := c.Request()
		call := plugins.CallOf(req.Context())
		e, err := g.admit(req, call)
		g.metrics.count(err)
		if e != nil {
			call.SetClient(e.client) // refused or not: the access line tells whose it was
		}
		if err != nil {
			g.tell(req.Context(), call, e, err)
			return err
		}
		return next(c)
	}
}

// admit returns whose request it is. With an error, the entry is that of a
// good key that may not be used like this, and nil if the key is unknown.
func (g *gate) admit(req *http.Request, call *plugins.Call) (*entry, error) {
	key, err := credential.Find(req.Header, req.URL.RawQuery)
	switch {
	case errors.Is(err, credential.ErrConflict):
		return nil, ErrConflict
	case err != nil:
		return nil, ErrMissing
	}
	e, known := g.ring.find(key)
	switch {
	case !known:
		return nil, ErrInvalid
	case e.disabled:
		return e, ErrDisabled
	case e.expired(g.now()):
		return e, ErrExpired
	}
	return e, e.allows(req, call)
}

// tell logs a refusal: one line, without the credential. Only a key of ours is
// told apart, by what the configuration says of it.
func (g *gate) tell(ctx context.Context, call *plugins.Call, e *entry, err error) {
	attrs := []slog.Attr{slog.String("outcome", outcome(err)), slog.String("request_id", call.ID)}
	if e != nil {
		attrs = append(attrs, slog.String("client", e.client.Name),
			slog.String("key", e.key), slog.String("fingerprint", e.fingerprint()))
	}
	g.log.LogAttrs(ctx, slog.LevelInfo, "request refused", attrs...)
}
