package retry

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/holysheep/relay/plugins"
)

// judge tells what an attempt came to, with what is wrong with its answer
// whatever its status.
func (r *retrier) judge(ctx context.Context, fault plugins.Fault, res *http.Response, err error) outcome {
	switch {
	case err == nil && !isFaulty(fault, res) && !r.settings.passes(res):
		return answered
	case refuses(ctx, err):
		return refused
	case ctx.Err() != nil:
		return canceled
	case err != nil:
		return broken
	case isFaulty(fault, res):
		return faulty
	}
	return failed
}

// refuses reports whether err is the last word of a plugin further in, of the
// pool, or of the body. A transport also returns the reason for which the
// request has ended, and that may be made for the client like a refusal.
func refuses(ctx context.Context, err error) bool {
	e, ok := plugins.AsError(err)
	return ok && !e.Again && (ctx.Err() == nil || !errors.Is(err, context.Cause(ctx)))
}

// isFaulty reports whether fault is a reason to ask again. Of a key that was
// refused the answer may say what it will: the next attempt has another one.
func isFaulty(fault plugins.Fault, res *http.Response) bool {
	switch fault {
	case plugins.NoFault:
		return false
	case plugins.FaultKey:
		return true
	}
	return res.Header.Get("X-Should-Retry") != "false"
}

// passes reports whether another attempt may bring a better answer than res.
// OpenAI's and Anthropic's servers say so themselves by x-should-retry, which
// their SDKs obey; only an error is ever asked for again.
func (s Settings) passes(res *http.Response) bool {
	if res.StatusCode < http.StatusBadRequest {
		return false
	}
	switch res.Header.Get("X-Should-Retry") {
	case "true":
		return true
	case "false":
		return false
	}
	return slices.Contains(s.Statuses, res.StatusCode) || slices.Contains(s.Statuses, class(res.StatusCode))
}

// class returns status, or the x00 of its class if nobody has registered it,
// as RFC 9110 §15 has it: 529 is 500, while 501 is itself. So a list may have
// the one and not the other.
func class(status int) int {
	if http.StatusText(status) == "" {
		return status / 100 * 100
	}
	return status
}
