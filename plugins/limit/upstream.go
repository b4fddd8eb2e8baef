package limit

import (
	"net/http"
	"strconv"
	"strings"
)

// upstream takes the headers out of an answer in which the upstream tells how
// the operator stands with it: they would contradict the relay's own. What is
// left there is kept for the metrics, unless no upstream was asked.
func (m *metrics) upstream(name string, h http.Header) {
	if name != "" {
		m.left(name, "requests", h, "X-Ratelimit-Remaining-Requests", "Anthropic-Ratelimit-Requests-Remaining")
		m.left(name, "tokens", h, "X-Ratelimit-Remaining-Tokens", "Anthropic-Ratelimit-Tokens-Remaining")
	}
	for key := range h {
		if tellsLimit(key) {
			delete(h, key)
		}
	}
}

// left sets the gauge of kind to the first of the headers that is a number.
func (m *metrics) left(name, kind string, h http.Header, keys ...string) {
	for _, key := range keys {
		text := h.Get(key)
		if text == "" {
			continue // an error costs more than a look
		}
		if n, err := strconv.ParseUint(text, 10, 63); err == nil {
			m.remaining.WithLabelValues(name, kind).Set(float64(n))
			return
		}
	}
}

// tellsLimit reports whether a header is OpenAI's, Anthropic's or of the IETF's
// draft (RateLimit, RateLimit-Policy, RateLimit-Limit and so on).
func tellsLimit(key string) bool {
	return hasPrefix(key, "X-Ratelimit-") || hasPrefix(key, "Anthropic-Ratelimit-") ||
		hasPrefix(key, "Ratelimit-") || strings.EqualFold(key, "Ratelimit")
}

// hasPrefix is [strings.HasPrefix] whatever the case.
func hasPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
