package relay

import (
	"context"
	"errors"
	"net/http"
	"os"

	"github.com/holysheep/relay/plugins"
)

// What a client is told when no upstream's answer can be.
var (
	// ErrTimeout says that no answer came within request_timeout.
	ErrTimeout = &plugins.Error{
		Status: http.StatusGatewayTimeout, Type: "upstream_error", Code: "upstream_timeout",
		Message: "the upstream did not answer within request_timeout",
	}

	// ErrUnreachable says that the upstream could not be reached or broke the
	// protocol before it answered.
	ErrUnreachable = &plugins.Error{
		Status: http.StatusBadGateway, Type: "upstream_error", Code: "upstream_unreachable",
		Message: "the upstream could not be reached",
	}

	// ErrBrokeOff says that the upstream broke off an answer that had begun.
	ErrBrokeOff = &plugins.Error{
		Status: http.StatusBadGateway, Type: "upstream_error", Code: "upstream_broke_off",
		Message: "the upstream broke its answer off",
	}

	// ErrNoStream says that the upstream's answer, though none of an error, is
	// not the stream that was asked for, and that the client was told to expect.
	ErrNoStream = &plugins.Error{
		Status: http.StatusBadGateway, Type: "upstream_error", Code: "upstream_no_stream",
		Message: "the upstream did not answer with the stream that was asked for",
	}

	// ErrClientGone is for the log and the metrics: the client left before the
	// answer. 499 is nginx's number for it.
	ErrClientGone = &plugins.Error{
		Status: 499, Type: "invalid_request_error", Code: "client_closed_request",
		Message: "the client closed the connection before the answer",
	}

	// ErrBodyBroken says that the request's body could not be read to its end.
	ErrBodyBroken = &plugins.Error{
		Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "body_broken",
		Message: "the request's body ended before its length or broke the protocol",
	}

	// ErrBodySlow says that the client took too long to send its body.
	ErrBodySlow = &plugins.Error{
		Status: http.StatusRequestTimeout, Type: "invalid_request_error", Code: "body_timeout",
		Message: "the request's body did not arrive in time",
	}

	// ErrUpgrade refuses a change of protocol over HTTP/2, where a WebSocket
	// would need RFC 8441: clients fall back to HTTP/1.1.
	ErrUpgrade = &plugins.Error{
		Status: http.StatusNotImplemented, Type: "invalid_request_error", Code: "upgrade_not_supported",
		Message: "connections can be upgraded over HTTP/1.1 only",
	}
)

// answerFor returns what the client, whose request's context is ctx, is told of
// what went wrong before any answer was sent.
func answerFor(ctx context.Context, err error) *plugins.Error {
	if e, ok := plugins.AsError(err); ok {
		return e
	}
	switch {
	case ctx.Err() != nil:
		return ErrClientGone.Because(err)
	case errors.Is(err, context.DeadlineExceeded):
		return ErrTimeout.Because(err)
	}
	return ErrUnreachable.Because(err)
}

// BrokenBody returns the client's answer for a body that ended with broken: it
// is the cause of whatever else went wrong with a request that read it.
// The server ends ctx too when it cannot read on, and closes the connection
// when something else ends ctx.
func BrokenBody(ctx context.Context, broken error) error {
	if e, ok := plugins.AsError(broken); ok {
		return e
	}
	if e, ok := plugins.AsError(context.Cause(ctx)); ok {
		return e.Because(broken)
	}
	switch {
	case errors.Is(broken, os.ErrDeadlineExceeded):
		return ErrBodySlow.Because(broken)
	case ctx.Err() != nil:
		return ErrClientGone.Because(broken)
	}
	return ErrBodyBroken.Because(broken)
}
