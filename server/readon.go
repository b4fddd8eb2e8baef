package server

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/relay"
)

// holdOn holds the generation for an answer that is read on without its client,
// whose request still holds it. The server waits for it when it stops, as for a
// request.
func (s *Server) holdOn(g *generation) (release func()) {
	s.visits.Add(1)
	g.refs.Add(1)
	return func() { g.release(); s.visits.Done() }
}

// readOn counts and logs an answer that was read on after its client had left:
// the access line was written before it was known what it has used.
func (s *Server) readOn(prices plugins.Prices, l relay.Left) {
	result := "cut"
	if l.Whole {
		result = "whole"
	}
	s.metrics.readOn.WithLabelValues(result).Inc()
	client, _ := l.Call.Client()
	attrs := make([]slog.Attr, 0, 13)
	attrs = append(attrs,
		slog.String("request_id", l.Call.ID), slog.String("client", client.Name),
		slog.String("model", short(l.Call.Ask().Model)), slog.String("upstream", l.Call.Trail.Last()), slog.Int64("bytes", l.Bytes), slog.Bool("whole", l.Whole))
	attrs = appendUsage(attrs, l.Call, prices)
	if l.Err != nil && !errors.Is(l.Err, io.EOF) && !errors.Is(l.Err, context.Canceled) {
		attrs = append(attrs, slog.String("err", faultText(l.Err)))
	}
	s.log.LogAttrs(context.Background(), slog.LevelInfo, "answer read on after its client left", attrs...)
	if p, ok := errors.AsType[*relay.Panic](l.Err); ok {
		s.log.Error("panic", "stack", string(p.Stack), "request_id", l.Call.ID)
	}
}

// appendUsage appends what the log tells of what an answer has used and what
// that costs: nothing where it is not known.
func appendUsage(attrs []slog.Attr, call *plugins.Call, prices plugins.Prices) []slog.Attr {
	u := call.Usage()
	if u.Source == plugins.UsageUnknown {
		return appendSaved(attrs, call.Saved(), prices)
	}
	attrs = append(attrs, slog.Int64("input_tokens", u.Input), slog.Int64("output_tokens", u.Output),
		slog.String("usage", string(u.Source)))
	price, known := prices.Of(call.Answered())
	if !known {
		return attrs
	}
	return append(attrs, slog.Float64("cost_usd", float64(price.Cost(u))/plugins.Dollar),
		slog.Float64("direct_usd", float64(price.CostDirect(u))/plugins.Dollar))
}

// appendSaved appends what an answer had used that was given again, and what
// that would have cost.
func appendSaved(attrs []slog.Attr, u plugins.Usage, prices plugins.Prices) []slog.Attr {
	if u.Source == plugins.UsageUnknown {
		return attrs
	}
	attrs = append(attrs, slog.Int64("saved_input_tokens", u.Input), slog.Int64("saved_output_tokens", u.Output))
	price, known := prices.Of(u.Model)
	if !known {
		return attrs
	}
	return append(attrs, slog.Float64("saved_usd", float64(price.Cost(u))/plugins.Dollar))
}
