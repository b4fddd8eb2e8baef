package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/config"
	"github.com/holysheep/relay/server/relay"
)

// entry is the outermost handler of the API listener: everything that every
// request gets, and the way to the upstreams.
func (s *Server) entry(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := s.arrive(c)
		broken := true
		defer func() {
			if p := recover(); p != nil {
				broken = s.recovered(p, c, v)
			}
			s.end(v, broken)
			if broken {
				panic(http.ErrAbortHandler) // cut the connection, as the answer was
			}
		}()
		err := s.dispatch(c, v, next)
		broken = err != nil && v.fail(c, err)
		return nil
	}
}

// fail tells the client of err. It reports whether it cannot because an answer
// has begun.
func (v *visit) fail(c echo.Context, err error) (begun bool) {
	v.call.SetFault(err)
	if c.Response().Committed {
		return true
	}
	if v.body != nil && v.body.Err() != nil {
		err = relay.BrokenBody(v.req.Context(), v.body.Err())
	}
	e := known(err)
	if v.w.status == 0 { // or the connection is another protocol's by now
		v.answer = e
	}
	// The client shall hear of it now, not when it has sent the rest.
	v.w.last = errors.Is(e, relay.ErrTooLarge)
	c.Error(e)
	return false
}

// arrive makes the call and the writer of a request.
func (s *Server) arrive(c echo.Context) *visit {
	s.visits.Add(1)
	s.metrics.inFlight.Inc()
	req := c.Request()
	v := &visit{req: req, start: time.Now()}
	v.route, v.relayed = wire.OfURL(req.URL)
	if !v.relayed {
		v.route.Label = own(req.URL.Path)
	}
	v.call = plugins.NewCall(requestID(req), v.ask)
	v.call.SetHeader("X-Request-Id", v.call.ID)
	v.w = &writer{
		ResponseWriter: c.Response().Writer, call: v.call,
		draining: &s.draining, closes: req.ProtoMajor == 1, ctx: req.Context(),
	}
	c.Response().Writer = v.w
	v.req = req.WithContext(plugins.WithCall(req.Context(), v.call))
	c.SetRequest(v.req)
	return v
}

// ask tells what the request asks for, as far as its body is held.
func (v *visit) ask() plugins.Ask {
	if v.body == nil {
		return plugins.ReadAsk(v.req, nil, true)
	}
	head, whole := v.body.Peek()
	return plugins.ReadAsk(v.req, head, whole)
}

// dispatch relays what is to be relayed; next answers the rest.
func (s *Server) dispatch(c echo.Context, v *visit, next echo.HandlerFunc) error {
	if !v.relayed {
		return next(c)
	}
	g := s.take()
	if g == nil {
		return ErrDraining
	}
	defer g.release()
	v.prices = g.config.Config.Prices
	return g.cors(func(c echo.Context) error {
		if err := checkPath(c.Request().URL.Path); err != nil {
			return err
		}
		if err := v.hold(&g.config.Config); err != nil {
			return err
		}
		return g.handler(c)
	})(c)
}

// hold puts in place of the request's body one that can be read again. It
// reads nothing yet.
func (v *visit) hold(conf *config.Config) error {
	if v.req.Body == nil || v.req.Body == http.NoBody {
		return nil
	}
	body, err := relay.NewBody(v.req.Body, v.req.ContentLength, conf.MaxBody, conf.MaxReplay)
	if err != nil {
		return err
	}
	body.Deadline = http.NewResponseController(v.w.ResponseWriter).SetReadDeadline
	if conf.RequestTimeout > 0 {
		body.Due = v.start.Add(conf.RequestTimeout)
	}
	body.Trailer = v.req.Trailer
	v.body = body
	v.req.Body, v.req.GetBody = body.Reader(), body.Again
	return nil
}

// recovered handles a panic: [http.ErrAbortHandler] is a stream that broke
// off, anything else is our fault. It reports whether the connection must be
// cut because an answer has begun.
func (s *Server) recovered(p any, c echo.Context, v *visit) (broken bool) {
	var stack []byte
	if other, ok := p.(*relay.Panic); ok { // of another goroutine
		p, stack = other.Value, other.Stack
	}
	if p == http.ErrAbortHandler { //nolint:errorlint,err113 // a panic's value, not a wrapped error
		return true
	}
	if stack == nil {
		stack = debug.Stack()
	}
	req := c.Request()
	// Nobody knows what a plugin puts into a panic: the client's key, perhaps.
	text := credential.Hide(req.Header, req.URL.RawQuery, fmt.Sprint(p))
	s.log.Error("panic", "panic", text, "stack", string(stack), "request_id", v.call.ID)
	return v.fail(c, ErrInternal)
}

// requestID returns the client's X-Request-Id, or a new one if it has none
// that can stand in logs: 1 to 128 letters, digits, and "-_.:".
func requestID(req *http.Request) string {
	id := req.Header.Get("X-Request-Id")
	if id == "" || len(id) > 128 {
		return "req_" + rand.Text()
	}
	for _, r := range []byte(id) {
		word := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !word && r != '-' && r != '_' && r != '.' && r != ':' {
			return "req_" + rand.Text()
		}
	}
	return id
}
