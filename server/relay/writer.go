package relay

import (
	"maps"
	"net/http"

	"github.com/holysheep/relay/plugins"
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
	hints  []hint
	done   bool // the final answer's header went out
}

// A hint is an informational answer that has not been sent yet.
type hint struct {
	status  int
	header  http.Header
	attempt int
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
		h := maps.Clone(w.header)
		clean(h)
		w.hints = append(w.hints, hint{status, h, w.call.Trail.Attempts()})
		return
	}
	if w.done {
		return
	}
	w.sendHints()
	live := w.ResponseWriter.Header()
	vary := live["Vary"] // of CORS
	maps.Copy(live, w.header)
	if len(vary) > 0 {
		live["Vary"] = append(vary, w.header["Vary"]...)
	}
	w.done = true
	w.ResponseWriter.WriteHeader(status)
}

// sendHints sends the informational answers of the attempt that was the last.
func (w *writer) sendHints() {
	if len(w.hints) == 0 {
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
