package upstream

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// Validate reports every problem at once, each beginning with the key at fault.
func (s Settings) Validate() error {
	errs := []error{s.validateURL(), s.validateAuth(), s.validateHeaders(), s.validateModels()}
	errs = append(errs, s.validateNumbers()...)
	errs = append(errs, s.validateTimes()...)
	errs = append(errs, s.validateTLS()...)
	errs = append(errs, s.validateProxy())
	if !strings.HasPrefix(s.Probe.Path, "/") {
		errs = append(errs, fmt.Errorf("probe.path: %q does not begin with a slash", s.Probe.Path))
	}
	return errors.Join(errs...)
}

// validateURL never prints the URL's user and password.
func (s Settings) validateURL() error {
	if s.BaseURL == "" {
		return errors.New("base_url: missing, such as https://api.example.com/v1")
	}
	u, err := url.Parse(s.BaseURL)
	switch {
	case err != nil:
		return errors.New("base_url: not a URL such as https://api.example.com/v1")
	case u.User != nil:
		return errors.New("base_url: holds a user or password: name the key by api_key_env or api_key_file")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("base_url: scheme %q is neither http nor https", u.Scheme)
	case u.Host == "":
		return errors.New("base_url: has no host")
	case u.RawQuery != "" || u.Fragment != "" || strings.Contains(s.BaseURL, "?"):
		return errors.New("base_url: holds a query or fragment")
	}
	return nil
}

// validateAuth looks at the key, its place and the wires that need it there.
func (s Settings) validateAuth() error {
	var errs []error
	keyed := s.APIKeyEnv != "" || s.APIKeyFile != ""
	if s.APIKeyEnv != "" && s.APIKeyFile != "" {
		errs = append(errs, errors.New("api_key_env: stands beside api_key_file: keep one"))
	}
	if s.Auth != "" && !slices.Contains(styles(), s.Auth) {
		errs = append(errs, fmt.Errorf("auth: %q is not one of %s", s.Auth, strings.Join(styles(), ", ")))
	}
	if s.Auth == authNone && keyed {
		errs = append(errs, errors.New("auth: none sends no key, and api_key_env or api_key_file names one: keep one of them"))
	}
	for _, w := range s.Wires {
		if !slices.Contains(wire.Names(), w) {
			errs = append(errs, fmt.Errorf("wires: %q is not one of %s", w, joined(wire.Names())))
		}
	}
	return errors.Join(errs...)
}

func joined(names []wire.Name) string {
	var texts []string
	for _, name := range names {
		texts = append(texts, string(name))
	}
	return strings.Join(texts, ", ")
}

func (s Settings) validateModels() error {
	var errs []error
	if slices.Contains(s.Models, "") {
		errs = append(errs, errors.New("models: holds an empty glob: write \"*\" for every model"))
	}
	for _, model := range slices.Sorted(maps.Keys(s.Rewrite)) {
		switch {
		case model == "" || s.Rewrite[model] == "":
			errs = append(errs, fmt.Errorf("rewrite.%s: one of the two names is empty", model))
		case strings.Contains(model, "*"):
			errs = append(errs, fmt.Errorf("rewrite.%s: is a glob: name each model by itself", model))
		}
	}
	return errors.Join(errs...)
}

func (s Settings) validateNumbers() (errs []error) {
	for _, n := range []struct {
		key          string
		value, least int64
	}{
		{"priority", int64(s.Priority), 0},
		{"weight", int64(s.Weight), 0},
		{"max_in_flight", int64(s.MaxInFlight), 0},
		{"requests", int64(s.Requests), 0},
		{"max_connections", int64(s.MaxConnections), 0},
		{"idle_connections", int64(s.IdleConnections), 1},
	} {
		switch {
		case n.value < 0:
			errs = append(errs, fmt.Errorf("%s: %d is negative", n.key, n.value))
		case n.value < n.least:
			errs = append(errs, fmt.Errorf("%s: %d is below %d", n.key, n.value, n.least))
		}
	}
	if s.Peek < 0 || s.Peek > plugins.MiB {
		errs = append(errs, fmt.Errorf("peek: %s is not from 0B to 1MiB", s.Peek))
	}
	return errs
}

// validateTimes lets 0 stand where it is no bound.
func (s Settings) validateTimes() (errs []error) {
	for _, d := range []struct {
		key   string
		value time.Duration
		none  bool // 0 is no bound
	}{
		{"connect_timeout", s.ConnectTimeout, false},
		{"first_byte_timeout", s.FirstByteTimeout, true},
		{"first_token_timeout", s.FirstTokenTimeout, true},
		{"idle_timeout", s.IdleTimeout, true},
		{"attempt_timeout", s.AttemptTimeout, true},
		{"period", s.Period, false},
		{"probe.interval", s.Probe.Interval, true},
		{"probe.timeout", s.Probe.Timeout, false},
	} {
		switch {
		case !d.none && d.value <= 0:
			errs = append(errs, fmt.Errorf("%s: %s is not above 0s", d.key, d.value))
		case d.value < 0:
			errs = append(errs, fmt.Errorf("%s: %s is negative", d.key, d.value))
		}
	}
	if s.FirstTokenTimeout > 0 && s.Peek == 0 {
		errs = append(errs, errors.New("first_token_timeout: needs a peek above 0B"))
	}
	return errs
}
