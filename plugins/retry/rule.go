package retry

import (
	"context"
	"net/http"
	"slices"

	"github.com/holysheep/relay/plugins"
)

// judge tells what an attempt came to.
func (r *retrier) judge(ctx context.Context, res *http.Response, err error) outcome {
	if err == nil && !r.settings.passes(res) {
		return answered
	}
	if _, ok := plugins.AsError(err); ok {
		// A plugin further in, or the pool, has said its last word.
		return refused
	}
	switch {
	case ctx.Err() != nil:
		return canceled
	case err != nil:
		return broken
	}
	return failed
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
// as RFC 9110 §15 has it: 529 is 500, while 501 is itself.
func class(status int) int {
	if http.StatusText(status) == "" {
		return status / 100 * 100
	}
	return status
}
