package server

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/holysheep/relay/server/config"
)

// cors lets the pages of the configured origins read every answer, refusals
// included. It is outside of everything that refuses, and answers preflights,
// which bring no key.
func cors(c config.CORS) echo.MiddlewareFunc {
	if len(c.Origins) == 0 {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	return middleware.CORSWithConfig(middleware.CORSConfig{
		AllowOrigins: c.Origins,
		AllowHeaders: c.Headers,
		AllowMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		ExposeHeaders: []string{
			"X-Request-Id", "Retry-After", "Retry-After-Ms", "X-Cache", "Age", "X-Relay-Attempts", "X-Relay-Upstream", "X-Relay-Model",
			"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests",
			"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset",
		},
		MaxAge: int(c.MaxAge / time.Second),
	})
}
