package plugins

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// Forever stands for a time that no wait reaches.
const Forever time.Duration = math.MaxInt64

// RetryAfter returns how long the answer with header h wants to be left alone,
// 0 if it does not say so in a form that anybody knows, and [Forever] if it
// says more than that. Retry-After is in seconds or a date (RFC 9110 §10.2.3);
// retry-after-ms is OpenAI's, more exact, and comes first, as in its SDKs.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if d, ok := number(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d
	}
	text := h.Get("Retry-After")
	if d, ok := number(text, time.Second); ok {
		return d
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}

// number reads text as a number of units. Fractions are known from servers,
// though not from RFC 9110.
func number(text string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseFloat(text, 64)
	switch d := n * float64(unit); {
	case err != nil || math.IsNaN(n) || n < 0:
		return 0, false
	case d >= float64(Forever):
		return Forever, true
	default:
		return time.Duration(math.Ceil(d)), true
	}
}
