package retry

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
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

	// Budget bounds how many are asked again, all requests taken together, so
	// that retries do not multiply an outage.
	Budget Budget `koanf:"budget"`

	// Hedge asks a second time, beside the first, where the first takes long.
	Hedge Hedge `koanf:"hedge"`

	// Headers puts X-Relay-Attempts and X-Relay-Upstream on the answer.
	Headers bool `koanf:"headers"`
}

// budgetWindow is the time over which a [Budget] counts.
const budgetWindow = 10 * time.Second

// A Budget bounds retries and hedges to a share of the requests of the last 10
// seconds, or to so many a second, whichever is more. An attempt on which
// nothing was sent is not counted.
type Budget struct {
	// Percent is how many there may be for a hundred requests. At 1000 nothing
	// is held back, since attempts is 10 at most.
	Percent int `koanf:"percent" jsonschema:"minimum=0,maximum=1000"`

	// PerSecond is how many there may be in a second however few requests there
	// are.
	PerSecond int `koanf:"per_second" jsonschema:"minimum=0,maximum=1000000"`
}

// A Hedge says which requests are asked for a second time while the first
// attempt still runs. The answer that comes first is the client's, the other is
// canceled.
type Hedge struct {
	// Endpoints are the paths, such as /v1/embeddings, that are hedged. Without
	// any it is off. Streams never are, nor bodies longer than max_replay.
	Endpoints []string `koanf:"endpoints"`

	// Percentile is how many of a hundred first attempts at the endpoint were
	// no slower than what the second attempt waits for.
	Percentile int `koanf:"percentile" jsonschema:"minimum=1,maximum=99"`

	// Least is the shortest wait before the second attempt.
	Least time.Duration `koanf:"least"`
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
		Budget:  Budget{Percent: 20, PerSecond: 10},
		Hedge:   Hedge{Percentile: 95, Least: 50 * time.Millisecond},
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
	errs = append(errs, s.Budget.validate(), s.Hedge.validate())
	return errors.Join(errs...)
}

func (b Budget) validate() error {
	var errs []error
	if b.Percent < 0 || b.Percent > 1000 {
		errs = append(errs, fmt.Errorf("budget.percent: %d is not from 0 to 1000", b.Percent))
	}
	if b.PerSecond < 0 || b.PerSecond > 1_000_000 {
		errs = append(errs, fmt.Errorf("budget.per_second: %d is not from 0 to 1000000", b.PerSecond))
	}
	if b.Percent == 0 && b.PerSecond == 0 {
		errs = append(errs, errors.New("budget.per_second: 0 beside a percent of 0 asks nothing again: for that set attempts to 1"))
	}
	return errors.Join(errs...)
}

func (h Hedge) validate() error {
	var errs []error
	for _, path := range h.Endpoints {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#* ") {
			errs = append(errs, fmt.Errorf("hedge.endpoints: %q is not a path such as /v1/embeddings", path))
		}
	}
	if h.Percentile < 1 || h.Percentile > 99 {
		errs = append(errs, fmt.Errorf("hedge.percentile: %d is not from 1 to 99", h.Percentile))
	}
	if h.Least < 0 {
		errs = append(errs, fmt.Errorf("hedge.least: %s is negative", h.Least))
	}
	return errors.Join(errs...)
}
