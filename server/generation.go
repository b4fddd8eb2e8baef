package server

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/internal/keep"
	"github.com/holysheep/relay/internal/watch"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/config"
	"github.com/holysheep/relay/server/relay"
	"github.com/holysheep/relay/server/upstream"
)

// A generation is one configuration at work. Requests hold the generation that
// they began with, so a reload never changes one in flight.
type generation struct {
	config  *config.Loaded
	names   []string // of the chain
	chain   plugins.Chain
	pool    *upstream.Pool
	cert    *tls.Certificate   // nil without TLS
	token   *[sha256.Size]byte // the hash of the admin listener's; nil if it is read-only
	cors    echo.MiddlewareFunc
	handler echo.HandlerFunc // the chain around the centre
	odd     error            // what its settings name that does not exist

	redis  *sharedRedis // nil without Redis
	shared *keep.Hold   // of redis: freed after all that may use it
	hold   *keep.Hold
	refs   atomic.Int64 // 1 while it is the current one, and 1 for each request
	free   func(*generation)
}

// build makes a generation, or reports every problem and leaves nothing behind.
// Of a configuration that was refused, by the given error, it builds what is
// left, for what else is wrong: no generation comes of it.
func (s *Server) build(loaded *config.Loaded, refused error, reads *watch.Reads) (*generation, error) {
	g := &generation{config: loaded, shared: s.kept.Hold(), hold: s.kept.Hold(), free: s.free}
	g.refs.Store(1)
	redis := g.connect(s, reads) // first: it is lent to what follows
	pool := g.gather(s, reads)
	err := errors.Join(refused, s.exposed(loaded), redis, pool, g.link(s, reads))
	g.odd = g.misfits(pool == nil && !loaded.Refused("upstreams"))
	if s.current.Load() == nil {
		err = errors.Join(err, g.odd)
	}
	if err = errors.Join(err, g.chain.Check(g.names), g.checkAdmin(), g.certify(reads), g.readAdminToken(s, reads)); err != nil {
		return nil, errors.Join(err, g.close(context.Background()))
	}
	g.cors = cors(loaded.Config.CORS)
	g.handler = g.chain.Serve(s.newRelay(g).Serve)
	return g, nil
}

// newRelay returns the centre of the generation's chain.
func (s *Server) newRelay(g *generation) *relay.Relay {
	c := &g.config.Config
	o := relay.Options{Timeout: c.RequestTimeout, Keepalive: c.StreamKeepalive}
	if c.OnClientGone != "drain" {
		return relay.New(g.chain.Fetch(g.pool), o)
	}
	o.ReadOn = &relay.ReadOn{
		Time: c.ClientGoneTime, Bytes: c.ClientGoneBytes, Base: s.base, Done: func(l relay.Left) { s.readOn(c.Prices, l) },
		Hold: func() func() { return s.holdOn(g) },
	}
	return relay.New(g.chain.Fetch(relay.Guard(g.pool)), o)
}

// gather makes the pool of the upstreams. That there is none may follow from
// one that was refused.
func (g *generation) gather(s *Server, reads *watch.Reads) (err error) {
	upstreams := g.config.Config.Upstreams
	if len(upstreams) == 0 && g.config.Refused("upstreams") {
		return nil
	}
	c := upstream.Config{
		Upstreams: upstreams, Fallbacks: g.config.Config.Fallbacks, Health: g.config.Config.Health,
		Dial: s.options.dial,
	}
	if g.config.Refused("upstreams") {
		c.Fallbacks = nil // what they name may be served by one that was refused
	}
	g.pool, err = upstream.New(c, s.env("upstream", g, reads))
	return err
}

// link builds the plugins of the chain, in its order, but for those that
// config.Load has refused.
func (g *generation) link(s *Server, reads *watch.Reads) error {
	var errs []error
	c := g.config.Config
	for i, name := range c.Chain {
		settings, good := c.Plugins[name]
		if !good || slices.Contains(c.Chain[:i], name) {
			continue
		}
		l, err := s.plugins[name].Build(settings, s.env(name, g, reads))
		if err != nil {
			errs = append(errs, under("plugins."+name, err))
			continue
		}
		g.names, g.chain = append(g.names, name), append(g.chain, l)
	}
	return errors.Join(errs...)
}

// certify reads the certificate.
func (g *generation) certify(reads *watch.Reads) (err error) {
	if g.config.Refused("tls") {
		return nil
	}
	g.cert, err = certificate(g.config.Config.TLS, reads.ReadFile)
	return err
}

// exposed holds a configuration to [Server.checkExposed] if what that looks at
// was not refused. A file that is emptied, or half written, does not take auth
// away from a relay that has it.
func (s *Server) exposed(loaded *config.Loaded) error {
	if g := s.current.Load(); g != nil && loaded.Local && slices.Contains(g.names, "auth") {
		return errors.New("plugins.auth: clients: none is named any more: to let everybody in, take auth out of the chain in words")
	}
	if slices.ContainsFunc([]string{"chain", "listen", "allow_anonymous"}, loaded.Refused) {
		return nil
	}
	return s.checkExposed(&loaded.Config)
}

// checkExposed refuses to let strangers in by accident. What counts beside the
// configured address is the one that is listened on, which a reload does not
// change.
func (s *Server) checkExposed(c *config.Config) error {
	if c.AllowAnonymous || slices.Contains(c.Chain, "auth") {
		return nil
	}
	addresses := []string{c.Listen}
	if bound := s.bound.Load(); bound != nil {
		addresses = append(addresses, *bound)
	}
	for _, address := range addresses {
		if !loopback(address) {
			return fmt.Errorf("chain: without auth, listen %q would let anybody in: add auth, "+
				"listen on 127.0.0.1, or set allow_anonymous: true", address)
		}
	}
	return nil
}

// loopback reports whether only this machine reaches the address.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// take returns the current generation, held for one request, or nil once the
// server has been discarded.
func (s *Server) take() *generation {
	for {
		g := s.current.Load()
		for n := g.refs.Load(); n > 0; n = g.refs.Load() {
			if g.refs.CompareAndSwap(n, n+1) {
				return g
			}
		}
		if s.current.Load() == g {
			return nil
		}
		// It ended between the two loads: the next one is current by now.
	}
}

// release lets go of a generation. The last one frees it.
func (g *generation) release() {
	if g.refs.Add(-1) == 0 {
		g.free(g)
	}
}

// close frees what the generation holds.
func (g *generation) close(ctx context.Context) error {
	err := g.chain.Close(ctx) // first: a link may still ask
	g.pool.Close()
	return errors.Join(err, g.hold.Release(), g.shared.Release())
}
