package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// headerBytes bounds a request's headers: keys, ids and cookies fit well.
const headerBytes = 128 << 10

// newAPI returns the server of the API listener.
func (s *Server) newAPI() *http.Server {
	e := newEcho()
	e.Pre(s.entry)
	s.healthRoutes(e)
	c := s.current.Load().config.Config
	server := s.newHTTP(e)
	server.ReadHeaderTimeout, server.IdleTimeout = c.ReadHeaderTimeout, c.IdleTimeout
	server.BaseContext = func(net.Listener) context.Context { return s.base }
	return server
}

// newAdmin returns the server of the admin listener.
func (s *Server) newAdmin() *http.Server {
	e := newEcho()
	s.healthRoutes(e)
	s.adminRoutes(e)
	server := s.newHTTP(e)
	// Nobody uploads or streams here, so that whole requests can be bounded.
	server.ReadTimeout, server.IdleTimeout = 10*time.Second, 2*time.Minute
	return server
}

// newHTTP returns a server that speaks HTTP/1.1 and HTTP/2, with TLS and
// without (h2c by prior knowledge). It has no time limit on whole answers,
// which would cut streams.
func (s *Server) newHTTP(h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:        h,
		MaxHeaderBytes: headerBytes,
		Protocols:      protocols,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // handshakes of scanners
	}
}

func newEcho() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = answerError
	return e
}

// Run serves until ctx ends, then drains and stops. It returns nil after an
// orderly stop.
func (s *Server) Run(ctx context.Context) error {
	api, admin, err := s.Listen()
	if err != nil {
		return err
	}
	s.log.Info("listening", "api", api.String(), "admin", admin.String(), "version", s.options.Version)
	failed := make(chan error, 2)
	go func() { failed <- s.serveAPI() }()
	go func() { failed <- s.admin.Serve(s.listeners.admin) }()
	following, stop := context.WithCancel(ctx)
	followed := make(chan struct{})
	go func() { defer close(followed); s.follow(following) }()

	select {
	case err = <-failed:
	case <-ctx.Done():
		err = nil
		s.drain(context.WithoutCancel(ctx))
	}
	stop()
	<-followed
	s.cut(ErrDraining)
	s.part(context.WithoutCancel(ctx))
	_ = s.api.Close()
	s.visits.Wait()
	s.stopAdmin(context.WithoutCancel(ctx))
	err = errors.Join(err, s.Discard())
	s.log.Info("stopped")
	return err
}

// stopAdmin stops the admin listener, after everything that it tells of. Nobody
// who asks there is waited for long.
func (s *Server) stopAdmin(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if s.admin.Shutdown(ctx) != nil {
		_ = s.admin.Close()
	}
}

func (s *Server) serveAPI() error {
	if s.current.Load().cert == nil {
		return s.api.Serve(s.listeners.api)
	}
	s.api.TLSConfig = s.tlsConfig()
	return s.api.ServeTLS(s.listeners.api, "", "")
}

// drain is not ready and closes connections at once, accepts for drain_delay,
// and then finishes what is in flight, for at most drain.
func (s *Server) drain(ctx context.Context) {
	c := s.current.Load().config.Config
	s.draining.Store(true)
	s.log.Info("draining", "drain_delay", c.DrainDelay.String(), "drain", c.Drain.String())
	time.Sleep(c.DrainDelay)
	ctx, cancel := context.WithTimeout(ctx, c.Drain)
	defer cancel()
	if err := s.finish(ctx); err != nil {
		s.log.Warn("requests in flight are cut: drain is over", "drain", c.Drain.String())
	}
}

// Discard frees what the server holds. It is for one that has not run: Run
// does it in the end.
func (s *Server) Discard() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	s.discarded = true
	s.current.Load().release()
	s.freeing.Wait()
	return s.watcher.Close()
}

// finish closes the listener and waits for every request, upgraded connections
// included, which [http.Server.Shutdown] does not know.
func (s *Server) finish(ctx context.Context) error {
	if err := s.api.Shutdown(ctx); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() { s.visits.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// partTime is how long a client that was cut may take to hear why.
const partTime = time.Second

// part lets the requests that were cut tell their clients, on a stream by an
// event, before their connections are closed.
func (s *Server) part(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, partTime)
	defer cancel()
	_ = s.api.Shutdown(ctx) // or they are closed all the same
}
