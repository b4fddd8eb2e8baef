package server

import (
	"errors"
	"maps"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// ErrUnknownURL is the answer to what is neither relayed nor the server's own.
var ErrUnknownURL = &plugins.Error{
	Status: http.StatusNotFound, Type: "invalid_request_error", Code: "unknown_url",
	Message: "no such URL: this relay answers under /v1/, /v1beta/ and /openai/",
}

// ErrInternal is the answer to whatever nobody foresaw.
var ErrInternal = &plugins.Error{
	Status: http.StatusInternalServerError, Type: "server_error", Code: "internal_error",
	Message: "the relay met an internal error",
}

// answerError writes err as the clients of the API that was asked parse it, and
// as OpenAI's do where none was. It is the one place where bodies of errors are
// made, the framework's own errors included.
func answerError(err error, c echo.Context) {
	route, _ := wire.OfURL(c.Request().URL)
	writeError(known(err), c, route)
}

// writeError writes e in the form of the route's wire.
func writeError(e *plugins.Error, c echo.Context, route wire.Route) {
	if c.Response().Committed {
		return
	}
	header := c.Response().Header()
	maps.Copy(header, e.Header)
	body := errorBody(e, route)
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Content-Type-Options", "nosniff")
	c.Response().WriteHeader(e.Status)
	if c.Request().Method != http.MethodHead {
		_, _ = c.Response().Write(body) // a client that left needs no answer
	}
}

// known returns the answer for err.
func known(err error) *plugins.Error {
	if e, ok := plugins.AsError(err); ok {
		return e
	}
	if h, ok := errors.AsType[*echo.HTTPError](err); ok {
		return framework(h)
	}
	return ErrInternal.Because(err)
}

// framework returns the answer for an error of the web framework, whose own
// text stays here.
func framework(h *echo.HTTPError) *plugins.Error {
	switch {
	case h.Code == http.StatusNotFound:
		return ErrUnknownURL
	case h.Code >= 400 && h.Code < 500:
		return &plugins.Error{
			Status: h.Code, Type: "invalid_request_error", Code: "invalid_request",
			Message: http.StatusText(h.Code), Err: h,
		}
	}
	return ErrInternal.Because(h)
}

// errorBody returns e in the form of the route's wire. What is on none is told
// in OpenAI's.
func errorBody(e *plugins.Error, route wire.Route) []byte {
	if route.Wire == "" {
		route.Wire = wire.OpenAI
	}
	return route.Body(wire.Problem{Status: e.Status, Type: e.Type, Code: e.Code, Message: e.Message})
}
