package relay

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// comment is what a client is kept waiting with: readers of events skip it.
const comment = ": keep-alive\n\n"

// mostOfError bounds the body of an upstream's error that is read for its
// message.
const mostOfError = 64 << 10

// streamed reports whether the request certainly asks for a stream of events,
// so that it can be answered with the beginning of one.
func (x *exchange) streamed(req *http.Request) bool {
	if req.Method != http.MethodPost || plugins.Upgrades(req) {
		return false
	}
	switch x.route.Kind {
	case wire.Generate:
		if alt := req.URL.Query()["alt"]; len(alt) != 1 || alt[0] != "sse" {
			return false // an array, element by element
		}
	case wire.Chat, wire.Completions, wire.Responses, wire.Messages:
	default:
		return false
	}
	ask := x.call.Ask()
	return ask.Stream && ask.Doubt(plugins.FieldStream) == nil
}

// early returns the beginning of a stream whose upstream has yet to answer.
func (f *flight) early(req *http.Request) *http.Response {
	f.x.w.hintless = true // whose answer it will be is not known
	w := &waiting{f: f, ticker: time.NewTicker(f.x.options.Keepalive), rest: comment, trailer: make(http.Header)}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Content-Type":      {eventStream},
			"Cache-Control":     {"no-cache"},
			"X-Accel-Buffering": {"no"}, // nginx would hold the comments back
		},
		Body: w, ContentLength: -1, Trailer: w.trailer, Request: req,
	}
}

// waiting is the body of a stream that began before the upstream's answer:
// comments, until it is there, and then the answer's body. An answer that is no
// stream is an error by now, for [ending] to tell.
type waiting struct {
	f       *flight
	ticker  *time.Ticker
	rest    string        // of a comment
	body    io.ReadCloser // once it is there
	trailer http.Header
}

func (w *waiting) Read(p []byte) (int, error) {
	for w.body == nil {
		if n := copy(p, w.rest); n > 0 {
			w.rest = w.rest[n:]
			return n, nil
		}
		if err := w.wait(); err != nil {
			return 0, err
		}
	}
	n, err := w.body.Read(p)
	if err == io.EOF {
		maps.Copy(w.trailer, w.f.res.Trailer)
	}
	return n, err
}

// wait waits for the answer, or until it is time for a comment.
func (w *waiting) wait() error {
	x := w.f.x
	left := x.client.Done()
	if x.cut() {
		left = nil // the asking is cut too
	}
	select {
	case <-w.f.landed:
		return w.land()
	case <-w.ticker.C:
		w.rest = comment
	case <-left:
		if x.left() {
			return w.fail(ErrClientGone, context.Canceled)
		}
	}
	return nil
}

// land takes the body of the answer, if it is a stream.
func (w *waiting) land() error {
	w.ticker.Stop()
	x, res, err := w.f.x, w.f.res, w.f.err
	switch {
	case err != nil && x.left():
		return w.fail(ErrClientGone, context.Canceled)
	case err != nil:
		return w.refused(err)
	case sendsEvents(res):
		w.body = res.Body
		return nil
	}
	// What the upstream wrote is for the client alone.
	fault := fmt.Errorf("the upstream answered %d, when a stream had begun", res.StatusCode)
	if res.StatusCode < 400 {
		w.f.drop()
		return w.fail(ErrNoStream, ErrNoStream.Because(fault))
	}
	e := told(res)
	w.f.drop()
	return w.fail(e, fault)
}

// refused ends the stream with what the client would have been told in place of
// an answer.
func (w *waiting) refused(err error) error {
	if _, ok := errors.AsType[*Panic](err); ok {
		w.f.x.call.SetStatus(http.StatusInternalServerError)
		raise(err)
	}
	e := answerFor(w.f.x.client, err)
	return w.fail(e, e)
}

// fail ends the stream with e. The log gets the fault.
func (w *waiting) fail(e *plugins.Error, fault error) error {
	w.f.x.call.SetStatus(e.Status)
	w.f.x.call.SetFault(fault)
	return e
}

func (w *waiting) Close() error {
	w.ticker.Stop()
	return w.f.Close()
}

// told returns what an upstream's error says, as far as it can be read: in the
// form of any of the wires.
func told(res *http.Response) *plugins.Error {
	e := &plugins.Error{
		Status: res.StatusCode, Type: "upstream_error", Code: "upstream_error",
		Message: fmt.Sprintf("the upstream answered with status %d", res.StatusCode),
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, mostOfError+1))
	if err != nil || len(text) > mostOfError {
		return e
	}
	var body struct {
		Error struct {
			Message, Type, Status string
			Code                  any // Gemini's is a number
		}
	}
	if json.Unmarshal(text, &body) != nil || body.Error.Message == "" {
		return e
	}
	e.Message = body.Error.Message
	e.Type = cmp.Or(body.Error.Type, body.Error.Status, e.Type)
	if code, ok := body.Error.Code.(string); ok {
		e.Code = code
	}
	return e
}
