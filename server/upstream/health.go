package upstream

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Health says when an upstream is left alone, for all upstreams alike.
type Health struct {
	// Failures is how many failures in a row take an upstream out. 0 is no
	// such rule.
	Failures int `koanf:"failures" jsonschema:"minimum=0"`

	// ErrorPercent is the share of failures among an upstream's requests within
	// window from which on it is taken out, in percent. 0 is no such rule.
	ErrorPercent int `koanf:"error_percent" jsonschema:"minimum=0,maximum=100"`

	// MinRequests is how many requests there must have been within window for
	// error_percent to mean something.
	MinRequests int `koanf:"min_requests" jsonschema:"minimum=1"`

	// Window is the time over which error_percent is reckoned.
	Window time.Duration `koanf:"window"`

	// Ejection is how long an upstream is left alone the first time. It doubles
	// with each time in a row.
	Ejection time.Duration `koanf:"ejection"`

	// MaxEjection is the longest that an upstream is left alone, whatever its
	// Retry-After asks for.
	MaxEjection time.Duration `koanf:"max_ejection"`

	// MaxEjectedPercent is the largest share of the upstreams that serve a model
	// which may be left alone at once, in percent: beyond it a bad upstream is
	// better than none.
	MaxEjectedPercent int `koanf:"max_ejected_percent" jsonschema:"minimum=0,maximum=100"`
}

// HealthDefaults returns the health of a configuration that says nothing of it.
func HealthDefaults() Health {
	return Health{
		Failures:          5,
		ErrorPercent:      50,
		MinRequests:       20,
		Window:            30 * time.Second,
		Ejection:          10 * time.Second,
		MaxEjection:       5 * time.Minute,
		MaxEjectedPercent: 90,
	}
}

// Validate reports every problem at once, each beginning with the key at fault.
func (h Health) Validate() error {
	var errs []error
	if h.Failures < 0 {
		errs = append(errs, fmt.Errorf("failures: %d is negative", h.Failures))
	}
	if h.MinRequests < 1 {
		errs = append(errs, fmt.Errorf("min_requests: %d is below 1", h.MinRequests))
	}
	for _, share := range []struct {
		key   string
		value int
	}{{"error_percent", h.ErrorPercent}, {"max_ejected_percent", h.MaxEjectedPercent}} {
		if share.value < 0 || share.value > 100 {
			errs = append(errs, fmt.Errorf("%s: %d is not from 0 to 100", share.key, share.value))
		}
	}
	if h.Window < time.Second {
		errs = append(errs, fmt.Errorf("window: %s is below 1s", h.Window))
	}
	if h.Ejection <= 0 {
		errs = append(errs, fmt.Errorf("ejection: %s is not above 0s", h.Ejection))
	}
	if h.MaxEjection < h.Ejection {
		errs = append(errs, fmt.Errorf("max_ejection: %s is below ejection, %s", h.MaxEjection, h.Ejection))
	}
	return errors.Join(errs...)
}

// ValidateFallbacks reports what is wrong with fallbacks, each with its key.
func ValidateFallbacks(all map[string][]string) error {
	var errs []error
	for _, model := range slices.Sorted(maps.Keys(all)) {
		others := all[model]
		add := func(problem string) { errs = append(errs, fmt.Errorf("fallbacks.%s: %s", model, problem)) }
		if model == "" || len(others) == 0 || slices.Contains(others, "") {
			add("names no model to fall back on, or an empty one")
		}
		if strings.Contains(model+strings.Join(others, ""), "*") {
			add("holds a glob: name each model")
		}
		for i, other := range others {
			switch {
			case other == model:
				add("falls back on itself")
			case slices.Contains(others[:i], other):
				add("names " + other + " twice")
			}
		}
	}
	return errors.Join(errs...)
}
