package relay

import (
	"maps"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/plugins"
)

// What an upstream may say before its answer: more is dropped, since all of it
// is held. Go's own client takes at most five.
const (
	mostHints     = 16
	mostHintBytes = 64 << 10
)

// A writer stands between [httputil.ReverseProxy] and the client's response.
//
// It holds informational answers (1xx) back until the final one comes and then
// sends those of the attempt that gave it: those of an abandoned attempt are
// dropped, and neither commits the web framework's response nor clears the
// headers that were there before (a 103 followed by a 404 did both).
type writer struct {
	http.ResponseWriter                     // the framework's
	raw                 http.ResponseWriter // the server's, for 1xx
	call                *plugins.Call

	header http.Header // of the final answer, until it is committed
	hints  []hint      // of the latest attempt that gave any
	held   int         // bytes of them

	hintless bool  // no hint goes out: whose answer it will be is not known
	old      bool  // the client speaks HTTP/1.0, which knows no 1xx
	done     bool  // the final answer's header went out
	body     *Body // of the request in HTTP/1, which is half duplex by default; or nil
}

// A hint is an informational answer that has not been sent yet.
type hint struct {
	status  int
	header  http.Header
	attempt int
}

func newWriter(c echo.Context, call *plugins.Call) *writer {
	req := c.Request()
	w := &writer{
		ResponseWriter: c.Response(), raw: c.Response().Writer, call: call,
		header: make(http.Header, 16), old: !req.ProtoAtLeast(1, 1),
	}
	if r, ok := req.Body.(*reader); ok && req.ProtoMajor == 1 {
		w.body = r.body
	}
	return w
}

// Header returns the header of the answer that is being made.
func (w *writer) Header() http.Header {
	if w.done {
		return w.ResponseWriter.Header() // trailers
	}
	return w.header
}

// WriteHeader sends the final answer's header, or holds an informational one.
func (w *writer) WriteHeader(status int) {
	if status < 200 && status != http.StatusSwitchingProtocols {
		w.hold(status)
		return
	}
	if w.done {
		return
	}
	w.sendHints()
	live := w.ResponseWriter.Header()
	vary := live["Vary"] // of CORS
	maps.Copy(live, w.header)
	if _, typed := live["Content-Type"]; !typed {
		live["Content-Type"] = nil // or net/http would guess one
	}
	if len(vary) > 0 {
		live["Vary"] = append(vary, w.header["Vary"]...)
	}
	if w.body != nil && !w.body.ended() {
		w.early(live)
	}
	w.done = true
	w.ResponseWriter.WriteHeader(status)
}

// early prepares for an answer that begins before the request has ended. The
// server would read the rest of the body away, which the upstream is still
// reading. The connection ends with it: what is left of the body then must not
// be taken for a request.
func (w *writer) early(live http.Header) {
	_ = http.NewResponseController(w.ResponseWriter).EnableFullDuplex()
	live.Set("Connection", "close")
}

// hold holds an informational answer, unless there are too many. A 100 is
// dropped: the server sends its own as soon as the body is asked for.
func (w *writer) hold(status int) {
	attempt := w.call.Trail.Attempts()
	if len(w.hints) > 0 && w.hints[0].attempt != attempt {
		w.hints, w.held = w.hints[:0], 0
	}
	header := maps.Clone(w.header)
	clean(header)
	for k, values := range header {
		w.held += len(k)
		for _, v := range values {
			w.held += len(v)
		}
	}
	if status != http.StatusContinue && !w.old && len(w.hints) < mostHints && w.held <= mostHintBytes {
		w.hints = append(w.hints, hint{status, header, attempt})
	}
}

// sendHints sends the informational answers of the attempt that was the last.
func (w *writer) sendHints() {
	// Of two attempts beside each other either may have given a hint.
	if len(w.hints) == 0 || w.hintless || w.call.Trail.Chosen() {
		return
	}
	last := w.call.Trail.Attempts()
	live := w.raw.Header()
	before := maps.Clone(live)
	for _, h := range w.hints {
		if h.attempt != last {
			continue
		}
		clear(live)
		maps.Copy(live, h.header)
		w.raw.WriteHeader(h.status)
	}
	clear(live)
	maps.Copy(live, before)
}

// Write sends a piece of the final answer's body.
func (w *writer) Write(p []byte) (int, error) {
	if !w.done {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] flush and hijack.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
