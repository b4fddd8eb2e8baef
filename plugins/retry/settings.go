package retry

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Settings say when to ask again.
type Settings struct {
	// Attempts is how often an upstream is asked in all, the first time
	// included. 1 never asks again.
	Attempts int `koanf:"attempts" jsonschema:"minimum=1,maximum=10"`

	// Wait is the longest wait before the second attempt. It doubles with each
	// further attempt; the wait itself is random, from 0 up to it.
	Wait time.Duration `koanf:"wait"`

	// MaxWait is where the doubling of wait ends.
	MaxWait time.Duration `koanf:"max_wait"`

	// MaxRetryAfter is the longest Retry-After of an upstream that is waited
	// for. An answer that asks for more goes to the client as it is, unless
	// another upstream is left.
	MaxRetryAfter time.Duration `koanf:"max_retry_after"`

	// Statuses are the statuses of an answer after which to ask again. A status
	// that nobody has registered counts as the x00 of its class, so that 500
	// stands for 520 and 529 too.
	Statuses []int `koanf:"statuses"`

	// Headers puts X-Relay-Attempts and X-Relay-Upstream on the answer.
	Headers bool `koanf:"headers"`
}

// Defaults returns the settings of a chain that names retry and says no more.
// The statuses are those after which OpenAI's SDKs ask again: 408, 409, 429 and
// all of 5xx.
func Defaults() Settings {
	return Settings{
		Attempts:      3,
		Wait:          100 * time.Millisecond,
		MaxWait:       5 * time.Second,
		MaxRetryAfter: 10 * time.Second,
		Statuses: []int{
			http.StatusRequestTimeout,
			http.StatusConflict,
			http.StatusTooManyRequests,
			http.StatusInternalServerError, // and what is not registered
			http.StatusNotImplemented,
			http.StatusBadGateway,
			http.StatusServiceUnavailable,
			http.StatusGatewayTimeout,
			http.StatusHTTPVersionNotSupported,
			http.StatusVariantAlsoNegotiates,
			http.StatusInsufficientStorage,
			http.StatusLoopDetected,
			http.StatusNotExtended,
			http.StatusNetworkAuthenticationRequired,
		},
		Headers: true,
	}
}

// Validate implements [plugins.Settings].
func (s Settings) Validate() error {
	var errs []error
	if s.Attempts < 1 || s.Attempts > 10 {
		errs = append(errs, fmt.Errorf("attempts: %d is not from 1 to 10", s.Attempts))
	}
	if s.Wait < 0 {
		errs = append(errs, fmt.Errorf("wait: %s is negative", s.Wait))
	}
	if s.MaxWait < s.Wait {
		errs = append(errs, fmt.Errorf("max_wait: %s is below wait, %s", s.MaxWait, s.Wait))
	}
	if s.MaxRetryAfter < 0 {
		errs = append(errs, fmt.Errorf("max_retry_after: %s is negative", s.MaxRetryAfter))
	}
	for _, status := range s.Statuses {
		if status < 400 || status > 599 {
			errs = append(errs, fmt.Errorf("statuses: %d is not from 400 to 599", status))
		}
	}
	return errors.Join(errs...)
}
