package server

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/plugins"
)

// ErrDraining is the answer of /ready once the relay was told to stop, and the
// cause that ends what outlasts drain.
var ErrDraining = &plugins.Error{
	Status: http.StatusServiceUnavailable, Type: "server_error", Code: "draining",
	Message: "the relay is stopping: send no new requests",
}

// healthRoutes answers probes. /health says that the process serves; /ready
// that it wants requests. Neither asks an upstream or Redis: their failure
// would take every replica out at once.
func (s *Server) healthRoutes(e *echo.Echo) {
	methods := []string{http.MethodGet, http.MethodHead}
	e.Match(methods, "/health", func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
	})
	e.Match(methods, "/ready", func(c echo.Context) error {
		if s.draining.Load() {
			return ErrDraining
		}
		return c.JSON(http.StatusOK, map[string]string{"status": "ready"})
	})
}
