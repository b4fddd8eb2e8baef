package limit

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/holysheep/relay/plugins"
)

// limitError is the type of the errors that a wait cures.
const limitError = "rate_limit_error"

// ErrRateLimit refuses a request that comes before its time. Its headers say
// when that is.
var ErrRateLimit = &plugins.Error{
	Status:  http.StatusTooManyRequests,
	Type:    limitError,
	Code:    late.String(),
	Message: "too many requests in a short time",
}

// ErrTokens refuses a request that needs more tokens than are left. Its headers
// say when there are so many. Where there never are, its status is 400, its
// type invalid_request_error, and no header says to wait.
var ErrTokens = &plugins.Error{
	Status:  http.StatusTooManyRequests,
	Type:    limitError,
	Code:    manyTokens.String(),
	Message: "too many tokens in a short time",
}

// ErrConcurrency refuses a request while too many others are in flight. Its
// headers hint when to try again, for nobody knows when one of them will end.
var ErrConcurrency = &plugins.Error{
	Status:  http.StatusTooManyRequests,
	Type:    limitError,
	Code:    crowded.String(),
	Message: "too many requests are in flight",
}

// ErrBudget refuses a request that would cost more than is left of a budget,
// as [ErrTokens] does.
var ErrBudget = &plugins.Error{
	Status:  http.StatusTooManyRequests,
	Type:    limitError,
	Code:    spent.String(),
	Message: "the budget is spent",
}

// ErrUnavailable refuses a request of a rule that is closed while the shared
// store cannot be asked.
var ErrUnavailable = &plugins.Error{
	Status:  http.StatusTooManyRequests,
	Type:    limitError,
	Code:    unavailable.String(),
	Message: "the limits cannot be checked at the moment",
}

// ErrUnpriced refuses a request for a model whose price is not known, where a
// budget would have to count it.
var ErrUnpriced = &plugins.Error{
	Status:  http.StatusBadRequest,
	Type:    invalidRequest,
	Code:    priceless.String(),
	Message: "the model has no price",
}

// invalidRequest is the type of the errors that no wait cures.
const invalidRequest = "invalid_request_error"

// of returns the error for a reason.
func errorOf(r reason) *plugins.Error {
	switch r {
	case manyTokens:
		return ErrTokens
	case crowded:
		return ErrConcurrency
	case spent:
		return ErrBudget
	case unavailable:
		return ErrUnavailable
	}
	return ErrRateLimit
}

// refusal returns the answer to a refused request. The official SDKs obey
// retry-after-ms before Retry-After.
func (l *limiter) refusal(d *decision) error {
	s := &d.refusal
	return errorOf(s.reason()).Saying(s.text()).With(http.Header{
		"Retry-After":    {strconv.FormatInt(count(s.wait, time.Second), 10)},
		"Retry-After-Ms": {strconv.FormatInt(count(s.wait, time.Millisecond), 10)},
	})
}

// never returns the answer to a request of which one limit never holds as much
// as it needs.
func never(of part, q *question) error {
	e := errorOf(of.kind.reason()).Saying(of.neverText(q))
	e.Status, e.Type = http.StatusBadRequest, invalidRequest
	return e
}

// unpriced returns the answer to a request for a model without a price.
func unpriced(r *rule, model string) error {
	return ErrUnpriced.Saying(fmt.Sprintf("the model %q has no price, which the budget of the limit %q needs", short(model), r.name))
}
