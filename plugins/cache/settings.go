package cache

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/holysheep/relay/plugins"
)

// Settings say which answers are kept, for how long, and in how much memory.
type Settings struct {
	// TTL is how long an answer is given again, unless its upstream says less. A
	// change holds for answers that are stored already. 0 turns the cache off.
	TTL time.Duration `koanf:"ttl"`

	// MaxBytes is the memory for all stored answers: their keys, headers and
	// bodies, and what it takes to keep them.
	MaxBytes plugins.Size `koanf:"max_bytes"`

	// MaxValue is the longest body of an answer that is stored.
	MaxValue plugins.Size `koanf:"max_value"`

	// MaxBody is the longest body of a request that is looked at. What max_replay
	// of the server cannot hold is never looked at.
	MaxBody plugins.Size `koanf:"max_body"`

	// Sampled also stores answers that are drawn at random, or may be: to
	// requests other than embeddings that ask neither for temperature 0 nor for
	// a seed, or for several choices.
	Sampled bool `koanf:"sampled"`

	// Endpoints are the paths whose answers may be stored. An asterisk stands
	// for one segment other than the last.
	Endpoints []string `koanf:"endpoints"`

	// Headers are more request headers that change an answer, besides those
	// that the README lists: requests that differ in one share no answer.
	Headers []string `koanf:"headers"`

	// Version is any text, and part of what an answer is found by: a change of
	// it empties the cache in effect. Change it with an upstream whose answers
	// must not be given any more, which the cache cannot know.
	Version string `koanf:"version"`
}

// Defaults returns the settings of a chain that names cache and says no more.
func Defaults() Settings {
	return Settings{
		TTL:      time.Hour,
		MaxBytes: 64 * plugins.MiB,
		MaxValue: plugins.MiB,
		MaxBody:  plugins.MiB,
		Endpoints: []string{
			"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages",
			"/v1/embeddings", "/v1/moderations", "/v1/rerank",
		},
	}
}

// Validate implements [plugins.Settings].
func (s Settings) Validate() error {
	var errs []error
	if s.TTL < 0 {
		errs = append(errs, fmt.Errorf("ttl: %s is negative", s.TTL))
	}
	if s.MaxBytes < 1 {
		errs = append(errs, fmt.Errorf("max_bytes: %s is not at least 1B", s.MaxBytes))
	}
	if s.MaxValue < 1 || s.MaxValue > plugins.GiB {
		errs = append(errs, fmt.Errorf("max_value: %s is not from 1B to 1GiB", s.MaxValue))
	} else if s.MaxValue > s.MaxBytes {
		errs = append(errs, fmt.Errorf("max_value: %s is more than max_bytes, %s", s.MaxValue, s.MaxBytes))
	}
	if s.MaxBody < 1 || s.MaxBody > plugins.GiB {
		errs = append(errs, fmt.Errorf("max_body: %s is not from 1B to 1GiB", s.MaxBody))
	}
	for _, e := range s.Endpoints {
		if err := checkEndpoint(e); err != nil {
			errs = append(errs, fmt.Errorf("endpoints: %q %w", e, err))
		}
	}
	for _, h := range s.Headers {
		if !httpguts.ValidHeaderFieldName(h) {
			errs = append(errs, fmt.Errorf("headers: %q is no name of a header", h))
		}
	}
	return errors.Join(errs...)
}

// checkEndpoint reports what is wrong with a path of Endpoints.
func checkEndpoint(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil || !strings.HasPrefix(pattern, "/") {
		return errors.New("is not a path such as /v1/embeddings")
	}
	if strings.ContainsAny(path.Base(pattern), "*?[") {
		return errors.New("leaves its last segment open")
	}
	if segment := never(pattern); segment != "" {
		return fmt.Errorf("is never cached: %s", segment)
	}
	return nil
}

// never returns the segment of a path that says that its answers are files, or
// that its requests do something besides being answered. It returns "" if there
// is none.
func never(path string) string {
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "audio", "images", "videos", "realtime", "files", "uploads", "batches", "fine_tuning",
			"evals", "conversations", "assistants", "threads", "vector_stores", "containers":
			return segment
		}
	}
	return ""
}
