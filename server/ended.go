package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/holysheep/relay/internal/scrub"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/relay"
)

// The ways in which an answer is cut short, as the access line has them.
const (
	clientGone = "client_gone" // the client left
	brokenOff  = "broken_off"  // the upstream broke off, or took too long
	drained    = "drained"     // the relay stops, and drain is over
	lateError  = "late_error"  // an error came when the stream had begun with comments
)

// appendOutcome appends what the access line tells of the answer and of what
// went wrong.
func (v *visit) appendOutcome(attrs []slog.Attr, ended string) []slog.Attr {
	fault := v.fault()
	if !errors.Is(fault, relay.ErrClientGone) { // who left got nothing of what was written
		attrs = append(attrs, slog.Int64("bytes", v.w.bytes))
		if !v.w.first.IsZero() {
			attrs = append(attrs, slog.Float64("first_byte_ms", milliseconds(v.w.first.Sub(v.start))))
		}
	}
	if code := v.code(); code != "" {
		attrs = append(attrs, slog.String("code", code))
	}
	if ended != "" {
		attrs = append(attrs, slog.String("ended", ended))
	}
	if fault != nil {
		attrs = append(attrs, slog.String("err", faultText(fault)))
	}
	return attrs
}

// code returns that of the error that the client was told, in place of an
// answer or on a stream that had begun with comments; "" if it was told none, or
// one of the upstream's.
func (v *visit) code() string {
	if v.answer != nil {
		return v.answer.Code
	}
	if e, ok := plugins.AsError(v.call.Fault()); ok && v.call.Status() != 0 {
		return e.Code
	}
	return ""
}

// fault returns why the client did not get a whole answer: what it was told, or
// else what was noted first.
func (v *visit) fault() error {
	if v.answer != nil {
		return v.answer
	}
	return v.call.Fault()
}

// faultText returns err's text without what strangers wrote. What the client
// is told stands as it is: it holds no secrets, and its quotation marks are ours.
func faultText(err error) string {
	e, ok := err.(*plugins.Error) //nolint:errorlint // what wraps one has a text of its own
	switch {
	case !ok:
		return scrub.Error(err)
	case e.Err == nil:
		return e.Error()
	}
	return e.Code + ": " + e.Message + ": " + faultText(e.Err)
}

// ended says who cut an answer short, "" if nobody did.
func (v *visit) ended(broken bool) string {
	fault := v.fault()
	cut := errors.Is(context.Cause(v.req.Context()), ErrDraining)
	_, known := plugins.AsError(fault) // a time limit cancels too
	switch {
	case cut && (broken || errors.Is(fault, ErrDraining) || v.w.status == http.StatusSwitchingProtocols):
		return drained
	case !known && errors.Is(fault, context.Canceled), errors.Is(fault, relay.ErrClientGone):
		return clientGone
	case fault == nil && (broken || v.w.status == 0):
		return clientGone
	case broken && v.call.Status() != 0:
		return lateError
	case broken:
		return brokenOff
	}
	return ""
}

// level is a warning where the relay or an upstream failed the client. One that
// leaves is no failure.
func level(status int, ended string) slog.Level {
	if status >= 500 || ended == brokenOff || ended == drained {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
