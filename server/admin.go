package server

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// ErrUnknownAdminURL is the answer of the admin listener to what it does not
// know.
var ErrUnknownAdminURL = &plugins.Error{
	Status: http.StatusNotFound, Type: "invalid_request_error", Code: "unknown_url",
	Message: "no such URL: this is the admin listener, with /metrics, /config, /upstreams, /health, /ready and /plugins/NAME",
}

// adminRoutes answers operators: metrics, the effective configuration, and
// what the plugins have to tell. Whatever changes something is a plugin's, and
// needs the token.
func (s *Server) adminRoutes(e *echo.Echo) {
	e.HTTPErrorHandler = answerAdminError
	e.Pre(s.protect)
	methods := []string{http.MethodGet, http.MethodHead}
	e.Match(methods, "/metrics", echo.WrapHandler(promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true,
	})))
	e.Match(methods, "/config", s.showConfig)
	e.Match(methods, "/upstreams", s.showUpstreams)
	e.Any("/plugins/:name", s.showPlugin)
	e.Any("/plugins/:name/*", s.showPlugin)
	e.Any("/*", s.showAt)
}

// answerAdminError is [answerError] where the API's URLs are not: they are not
// found, and nobody waits for an error in the form of one of them.
func answerAdminError(err error, c echo.Context) {
	var h *echo.HTTPError
	if errors.As(err, &h) && h.Code == http.StatusNotFound {
		err = ErrUnknownAdminURL
	}
	writeError(known(err), c, wire.Route{})
}

// showConfig answers with the effective configuration. Keys stand in it as
// fingerprints, the first 12 digits of their SHA-256.
func (s *Server) showConfig(c echo.Context) error {
	g := s.take()
	if g == nil {
		return ErrDraining
	}
	defer g.release()
	return c.JSON(http.StatusOK, map[string]any{
		"version": s.options.Version,
		"chain":   g.names,
		"config":  g.config.Tree(),
		"keys":    g.pool.Fingerprints(credential.Fingerprint),
	})
}

// showUpstreams answers with how the upstreams are doing.
func (s *Server) showUpstreams(c echo.Context) error {
	g := s.take()
	if g == nil {
		return ErrDraining
	}
	defer g.release()
	return c.JSON(http.StatusOK, g.pool.Show())
}

// showPlugin passes the request on to the plugin's own handler.
func (s *Server) showPlugin(c echo.Context) error {
	g := s.take()
	if g == nil {
		return ErrDraining
	}
	defer g.release()
	name := c.Param("name")
	i := slices.Index(g.names, name)
	if i < 0 || g.chain[i].Admin == nil {
		return &plugins.Error{
			Status: http.StatusNotFound, Type: "invalid_request_error", Code: "unknown_url",
			Message: "no plugin of this name in the chain has anything to tell; the chain is " + strings.Join(g.names, ", "),
		}
	}
	http.StripPrefix("/plugins/"+name, g.chain[i].Admin).ServeHTTP(c.Response(), c.Request())
	return nil
}
