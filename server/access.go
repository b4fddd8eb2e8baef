package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/relay"
)

// A visit is one request on its way, for the access line and the metrics.
type visit struct {
	req   *http.Request
	call  *plugins.Call
	body  *relay.Body // nil if there is none
	w     *writer
	start time.Time

	route   wire.Route
	prices  plugins.Prices // of the configuration that it began with
	relayed bool           // or the route is no more than its label

	answer *plugins.Error // what the client was told in place of an answer; nil if nothing
}

// end counts the request and writes its line. broken tells that the answer was
// cut off after it had begun.
func (s *Server) end(v *visit, broken bool) {
	defer s.visits.Done()
	status, took := v.status(), time.Since(v.start)
	v.seal()
	m := method(v.req.Method)
	s.metrics.inFlight.Dec()
	s.metrics.requests.WithLabelValues(m, v.route.Label, statusLabel(status)).Inc()
	s.metrics.duration.WithLabelValues(m, v.route.Label).Observe(took.Seconds())
	if s.access.Load() && v.route.Label != "/health" && v.route.Label != "/ready" {
		v.log(s.log, status, took, broken)
	}
}

// seal ends the reading of the request's body: what the client has not sent is
// not asked for any more, and not waited for.
func (v *visit) seal() {
	switch {
	case v.body != nil:
		v.body.Seal()
	case v.req.Body != nil && v.req.Body != http.NoBody: // it was not to be relayed
		_ = http.NewResponseController(v.w.ResponseWriter).SetReadDeadline(time.Now().Add(relay.LateRest))
	}
}

// statusLabel returns the label of a status: an upstream may make up numbers.
func statusLabel(status int) string {
	if status > 599 {
		return "other"
	}
	return strconv.Itoa(status)
}

// status returns what the client got, or would have got had it stayed, or had
// its stream not begun before it was known.
func (v *visit) status() int {
	if status := v.call.Status(); status != 0 {
		return status
	}
	if v.w.status == 0 {
		return relay.ErrClientGone.Status
	}
	return v.w.status
}

// log writes the access line: never a key, a prompt, a body or a query.
func (v *visit) log(log *slog.Logger, status int, took time.Duration, broken bool) {
	client, _ := v.call.Client()
	ended := v.ended(broken)
	remote, _, _ := net.SplitHostPort(v.req.RemoteAddr)
	attrs := make([]slog.Attr, 0, 22)
	attrs = append(attrs,
		slog.String("request_id", v.call.ID),
		slog.String("method", short(v.req.Method)),
		slog.String("path", short(v.req.URL.Path)),
		slog.Int("status", status),
		slog.String("client", client.Name),
		slog.String("model", short(v.call.Ask().Model)),
		slog.String("upstream", v.call.Trail.Last()),
		slog.Int("attempts", v.call.Trail.Attempts()),
		slog.String("cache", v.call.Cache()),
		slog.Float64("duration_ms", milliseconds(took)),
		slog.String("remote", remote),
	)
	if a := v.call.Trail.Answer(); a != nil && a.Model() != "" && a.Model() != v.call.Ask().Model {
		attrs = append(attrs, slog.String("model_answered", a.Model()))
	}
	attrs = appendUsage(attrs, v.call, v.prices)
	attrs = v.appendOutcome(attrs, ended)
	log.LogAttrs(context.Background(), level(status, ended), "request", attrs...)
}

// short bounds what a client wrote: 256 bytes tell a path or model apart.
func short(s string) string {
	const most = 256
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
