// Package upstream is the innermost part of the relay: a pool of upstreams
// that is asked as if it were one. It routes by model, prefers upstreams that a
// request has not asked yet, and puts the upstream's key where the client's was.
//
// It does not retry: the plugin retry does, and gets a new choice each time.
package upstream

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/holysheep/relay/plugins"
)

// Settings describe one upstream.
type Settings struct {
	// BaseURL is where the upstream's API begins, its version included:
	// https://api.example.com/v1. What the client asks under /v1 is asked under
	// it. It holds no user, password, query or fragment.
	BaseURL string `koanf:"base_url" jsonschema:"format=uri"`

	// APIKeyEnv names the environment variable that holds the upstream's key.
	// Without it and api_key_file, requests go out without a key.
	APIKeyEnv string `koanf:"api_key_env"`

	// APIKeyFile names the file that holds the upstream's key. It is read again
	// when it changes.
	APIKeyFile string `koanf:"api_key_file"`

	// Models are globs of the models that the upstream serves, such as "gpt-*". A
	// star stands for any characters, slashes too. Without any it serves every
	// model.
	Models []string `koanf:"models"`

	// Priority orders the upstreams: those of the lowest number are asked
	// first, others only when all of the former have been tried.
	Priority int `koanf:"priority" jsonschema:"minimum=0"`

	// Weight is the upstream's share of the requests among those of its
	// priority. 0 takes no request as long as another is left.
	Weight int `koanf:"weight" jsonschema:"minimum=0"`

	// ConnectTimeout bounds connecting and the TLS handshake, each.
	ConnectTimeout time.Duration `koanf:"connect_timeout"`

	// Peek is how much of a stream is read before its answer begins, at most:
	// up to the first event that means something to a client. An error, an end
	// or silence before it can still be answered by another upstream. 0 reads
	// nothing ahead.
	Peek plugins.Size `koanf:"peek"`

	// FirstTokenTimeout bounds the time until the first event of a stream that
	// means something, from when the request was sent. 0 is no bound, for models
	// that reason may think for many minutes. It needs a peek.
	FirstTokenTimeout time.Duration `koanf:"first_token_timeout"`

	// IncludeUsage has the upstream tell what a stream of chat or completions has
	// used, by stream_options.include_usage, where the client did not ask. The
	// client does not see it. Some upstreams refuse the field.
	IncludeUsage bool `koanf:"include_usage"`
}

// Defaults returns the settings of an upstream that says no more than its URL.
func Defaults() Settings {
	return Settings{Weight: 1, ConnectTimeout: 10 * time.Second, Peek: 64 * plugins.KiB, IncludeUsage: true}
}

// Validate reports every problem at once, each beginning with the key at fault.
func (s Settings) Validate() error {
	errs := []error{s.validateURL()}
	if s.APIKeyEnv != "" && s.APIKeyFile != "" {
		errs = append(errs, errors.New("api_key_env: stands beside api_key_file: keep one"))
	}
	if slices.Contains(s.Models, "") {
		errs = append(errs, errors.New("models: holds an empty glob: write \"*\" for every model"))
	}
	if s.Priority < 0 {
		errs = append(errs, fmt.Errorf("priority: %d is negative", s.Priority))
	}
	if s.Weight < 0 {
		errs = append(errs, fmt.Errorf("weight: %d is negative", s.Weight))
	}
	if s.ConnectTimeout <= 0 {
		errs = append(errs, fmt.Errorf("connect_timeout: %s is not above 0s", s.ConnectTimeout))
	}
	if s.Peek < 0 || s.Peek > plugins.MiB {
		errs = append(errs, fmt.Errorf("peek: %s is not from 0B to 1MiB", s.Peek))
	}
	if s.FirstTokenTimeout < 0 {
		errs = append(errs, fmt.Errorf("first_token_timeout: %s is negative", s.FirstTokenTimeout))
	}
	if s.FirstTokenTimeout > 0 && s.Peek == 0 {
		errs = append(errs, errors.New("first_token_timeout: needs a peek above 0B"))
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
