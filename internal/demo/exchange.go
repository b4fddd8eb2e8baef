package demo

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxBody is the longest request body that is accepted; it is held in memory.
const maxBody = 256 << 20

// An exchange is one request on its way to its answer.
type exchange struct {
	server *Server
	w      http.ResponseWriter
	r      *http.Request
	rec    *Record
	state  State

	plan plan
	body []byte
	ask  ask
}

// An endpoint is what answers under one path.
type endpoint struct {
	method string                  // the one that is allowed; "" allows all
	decode func(x *exchange) error // fills x.ask from x.body; nil if there is nothing to fill
	answer func(x *exchange) answer
}

func (x *exchange) serve() State {
	plan, planErr := parsePlan(x.server.headers(x.r))
	x.plan = plan
	bodyErr := x.read()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(bodyErr, &tooLarge):
		return x.send(refuse(http.StatusRequestEntityTooLarge, "", bodyErr.Error()))
	case bodyErr != nil: // the client left in the middle of its body
		return Cancelled
	case planErr != nil:
		x.plan = noPlan()
		return x.send(refuse(http.StatusBadRequest, "bad_demo_header", planErr.Error()))
	case !x.allowed():
		return x.send(badKey())
	}
	return x.route()
}

// route answers by path and method. Faults come before what the endpoint has
// to say, so that they need no valid request.
func (x *exchange) route() State {
	e, found := endpoints(x.r.URL.Path)
	var decodeErr error
	if found && e.decode != nil {
		decodeErr = e.decode(x)
		x.server.books.edit(func() { x.rec.Model, x.rec.Stream = x.ask.Model, x.ask.Stream })
	}
	if x.server.fails(x.plan.fail) {
		x.plan.status, x.plan.reset = x.plan.fail.status, x.plan.fail.status == 0
	}
	switch {
	case x.plan.status >= 400 || x.plan.reset:
		return x.send(x.fault())
	case !found:
		return x.send(refuse(http.StatusNotFound, "unknown_url", "Invalid URL ("+x.r.Method+" "+x.r.URL.Path+")"))
	case e.method != "" && e.method != x.r.Method:
		a := refuse(http.StatusMethodNotAllowed, "method_not_supported", "Not allowed to "+x.r.Method+" on "+x.r.URL.Path)
		a.header.Set("Allow", e.method)
		return x.send(a)
	case decodeErr != nil:
		return x.send(refuse(http.StatusBadRequest, "", "We could not parse the body of your request: "+decodeErr.Error()))
	case x.r.URL.Path == "/v1/realtime":
		return x.realtime()
	}
	a := e.answer(x)
	if x.plan.status != 0 {
		a.status = x.plan.status
	}
	return x.send(a)
}

// endpoints returns what answers under path. Paths are taken as they come and
// never cleaned, so that an odd one is not redirected.
func endpoints(path string) (endpoint, bool) {
	switch path {
	case "/v1/chat/completions":
		return endpoint{http.MethodPost, decodeJSON, chat}, true
	case "/v1/embeddings":
		return endpoint{http.MethodPost, decodeJSON, embeddings}, true
	case "/v1/models":
		return endpoint{http.MethodGet, nil, models}, true
	case "/v1/realtime":
		return endpoint{method: http.MethodGet}, true
	}
	switch {
	case strings.HasPrefix(path, "/v1/models/"):
		return endpoint{http.MethodGet, nil, model}, true
	case path == "/v1/echo" || strings.HasPrefix(path, "/v1/echo/"):
		return endpoint{"", nil, echo}, true
	}
	return endpoint{}, false
}

// read reads the body to its end, or as far as the plan says. Only after its
// end does net/http notice that a client leaves.
func (x *exchange) read() error {
	from := http.MaxBytesReader(nil, x.r.Body, maxBody)
	var r io.Reader = tally{x, from}
	if x.plan.read >= 0 {
		r = io.LimitReader(r, x.plan.read)
	}
	var b bytes.Buffer
	b.Grow(int(min(max(x.r.ContentLength, 0), keptBody)) + bytes.MinRead)
	if _, err := b.ReadFrom(r); err != nil {
		return err
	}
	x.body = b.Bytes()
	x.server.books.received(x.rec, x.r, x.body)
	return nil
}

// A tally notes in the books how much of a body was read.
type tally struct {
	x    *exchange
	from io.Reader
}

func (t tally) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	if n > 0 {
		t.x.server.books.edit(func() { t.x.rec.BodyBytes += int64(n) })
	}
	return n, err
}

// allowed reports whether the request brings the key.
func (x *exchange) allowed() bool {
	key := x.server.options.Key
	return key == "" || x.r.Header.Get("Authorization") == "Bearer "+key
}

func decodeJSON(x *exchange) error { return json.Unmarshal(x.body, &x.ask) }

// id returns an id that holds the number of the request's record.
func (x *exchange) id(prefix string) string { return prefix + "-demo-" + strconv.Itoa(x.rec.ID) }

// now returns the server's time in seconds since 1970.
func (x *exchange) now() int64 { return x.server.options.Now().Unix() }
