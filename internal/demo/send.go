package demo

import (
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// fault returns the error that the plan asks for.
func (x *exchange) fault() answer {
	code := x.plan.code
	if code == "" && x.dialect == likeOpenAI {
		code = map[int]string{401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}[x.plan.status]
	}
	a := x.failed(x.plan.status, code, "demo: an error was asked for")
	if x.plan.retryAfter != "" {
		a.header.Set("Retry-After", x.plan.retryAfter)
	}
	if x.plan.retryAfterMs != "" {
		a.header.Set("Retry-After-Ms", x.plan.retryAfterMs)
	}
	return a
}

// send sends a in the shape that the plan gives it.
func (x *exchange) send(a answer) State {
	if !wait(x.r.Context(), x.plan.latency) {
		return Cancelled
	}
	if x.plan.reset != "" {
		x.breakHeaders()
		return Aborted
	}
	x.early()
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		a.pieces = nil
	}
	out := x.plan.shape(a)
	x.head(a, len(out.bytes))
	return x.transmit(a, out)
}

// breakHeaders closes the connection in the middle of the answer's headers, if
// that is how the plan has it end. Not over HTTP/2, whose headers are a frame.
func (x *exchange) breakHeaders() {
	if x.plan.reset != resetHeaders {
		return
	}
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Ty")
	_ = conn.Close()
}

// early sends the answers before the answer.
func (x *exchange) early() {
	for _, status := range x.plan.early {
		if status == http.StatusEarlyHints {
			x.w.Header().Set("Link", "</demo.css>; rel=preload; as=style")
		}
		x.w.WriteHeader(status)
		x.w.Header().Del("Link")
	}
}

// head sends status and headers.
func (x *exchange) head(a answer, length int) {
	h := x.w.Header()
	x.requestID(h)
	maps.Copy(h, a.header)
	fixed := x.fixed(a)
	if fixed {
		h.Set("Content-Length", strconv.Itoa(length))
	}
	switch x.plan.encoding {
	case "gzip", "bad-gzip":
		h.Set("Content-Encoding", "gzip")
	case "br":
		h.Set("Content-Encoding", "br")
	}
	x.plant()
	for _, f := range x.plan.trailer {
		if !slices.Contains(h["Trailer"], f.name) { // net/http sends it as often as it is declared
			h.Add("Trailer", f.name)
		}
	}
	x.w.WriteHeader(a.status)
	if !fixed || x.stops() || x.plan.firstToken > 0 {
		_ = x.flush() // an error comes again with the body
	}
	x.server.books.edit(func() { x.rec.Status = a.status })
}

// fixed reports whether the answer announces its length.
func (x *exchange) fixed(a answer) bool {
	if x.plan.length != "" {
		return x.plan.length == "fixed"
	}
	return !a.stream && len(a.pieces) == 1 && len(x.plan.trailer) == 0
}

// plant sets the headers that the plan wants, in place of those of the answer.
func (x *exchange) plant() {
	for _, f := range x.plan.header {
		x.w.Header().Del(f.name)
	}
	for _, f := range x.plan.header {
		x.w.Header().Add(f.name, f.value)
	}
}

// transmit sends the packets, and stops where the plan says.
func (x *exchange) transmit(a answer, out wire) State {
	pace := x.plan.pace
	if pace < 0 && a.failure != nil {
		pace = x.server.options.Pace
	}
	from, events := 0, 0
	for i, to := range out.cuts {
		gap := pace
		switch {
		case from == out.first:
			gap = x.plan.firstToken
		case i == 0:
			gap = 0
		}
		if !wait(x.r.Context(), gap) {
			return Cancelled
		}
		if _, err := x.w.Write(out.bytes[from:to]); err != nil {
			return Cancelled
		}
		if (len(out.cuts) > 1 || x.stops()) && x.flush() != nil {
			return Cancelled
		}
		for events < len(out.ends) && out.ends[events] <= to {
			events++
		}
		x.server.books.edit(func() { x.rec.BytesOut, x.rec.Events = int64(to), events })
		from = to
	}
	switch {
	case x.plan.breakAt.unit != "":
		return Aborted
	case x.plan.stallAt.unit != "":
		<-x.r.Context().Done()
		return Cancelled
	}
	for _, f := range x.plan.trailer {
		x.w.Header().Add(f.name, f.value)
	}
	return Done
}

// stops reports whether the answer is not to reach its end.
func (x *exchange) stops() bool { return x.plan.breakAt.unit != "" || x.plan.stallAt.unit != "" }

// flush sends what was written.
func (x *exchange) flush() error { return http.NewResponseController(x.w).Flush() }

// wait waits, and reports whether the client is still there.
func wait(ctx context.Context, d time.Duration) bool {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	return ctx.Err() == nil
}
