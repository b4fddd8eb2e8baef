package limit

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/holysheep/relay/plugins"
)

// ErrRateLimit refuses a request that comes before its time. Its headers say
// when that is.
var ErrRateLimit = &plugins.Error{
	Status:  http.StatusTooManyRequests,
	Type:    "rate_limit_error",
	Code:    late,
	Message: "too many requests in a short time",
}

// ErrConcurrency refuses a request while too many others are in flight. Its
// headers hint when to try again, for nobody knows when one of them will end.
var ErrConcurrency = &plugins.Error{
	Status:  http.StatusTooManyRequests,
	Type:    "rate_limit_error",
	Code:    crowded,
	Message: "too many requests are in flight",
}

// refusal returns the answer to a refused request. The official SDKs obey
// retry-after-ms before Retry-After.
func refusal(d decision) error {
	s, code := d.refusal()
	base, message := ErrRateLimit, s.rule.rateText(s.wait)
	if code == crowded {
		base, message = ErrConcurrency, s.rule.flightText()
	}
	return base.Saying(message).With(http.Header{
		"Retry-After":    {strconv.FormatInt(count(s.wait, time.Second), 10)},
		"Retry-After-Ms": {strconv.FormatInt(count(s.wait, time.Millisecond), 10)},
	})
}

func (r *rule) rateText(wait time.Duration) string {
	return fmt.Sprintf("the limit %q is reached (requests per %s: %d, burst: %d%s): try again in %s",
		r.name, r.period(), r.Requests, r.rate.Burst(), r.whose(), up(wait, time.Millisecond))
}

func (r *rule) flightText() string {
	return fmt.Sprintf("the limit %q is reached (requests in flight: %d%s)", r.name, r.InFlight, r.whose())
}

func (r *rule) whose() string {
	if r.Per == perClient {
		return ", for each client"
	}
	return ""
}
