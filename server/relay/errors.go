package relay

import (
	"net/http"

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
