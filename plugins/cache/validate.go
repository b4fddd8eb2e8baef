package cache

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/holysheep/relay/internal/fault"
	"github.com/holysheep/relay/plugins"
)

const (
	minDeadline = time.Millisecond
	maxDeadline = 10 * time.Second

	// minLease leaves time for two renewals that fail.
	minLease = 200 * time.Millisecond
	maxLease = time.Minute

	maxJitter = 0.5
)

// Validate implements [plugins.Settings].
func (s Settings) Validate() error {
	errs := []error{
		fault.Negative("ttl", s.TTL), fault.Negative("stale_while_revalidate", s.StaleWhileRevalidate),
		fault.Negative("stale_if_error", s.StaleIfError), fault.Negative("replay_interval", s.ReplayInterval),
		fault.OneOf("scope", s.Scope, scopeClient, scopeGroup, scopeShared),
		checkEndpoints(s.Endpoints, s.Effects), checkModels(s.Models),
		s.checkSizes(),
		fault.Negative("coalesce.wait", s.Coalesce.Wait), fault.Within("coalesce.lease", s.Coalesce.Lease, minLease, maxLease),
		fault.Within("redis.deadline", s.Redis.Deadline, minDeadline, maxDeadline),
		fault.Under("semantic", s.Semantic.validate(s.asksMeanings())),
	}
	if s.TTLJitter < 0 || s.TTLJitter > maxJitter || s.TTLJitter != s.TTLJitter {
		errs = append(errs, fmt.Errorf("ttl_jitter: %v is not from 0 to %v", s.TTLJitter, maxJitter))
	}
	for _, h := range s.Headers {
		if !httpguts.ValidHeaderFieldName(h) {
			errs = append(errs, fmt.Errorf("headers: %q is no name of a header", h))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Rules)) {
		if !regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`).MatchString(name) {
			errs = append(errs, fmt.Errorf("rules: %q is not a name of lower-case letters, digits and single _ between them that begins with a letter", name))
		}
		errs = append(errs, fault.Under("rules."+name, s.Rules[name].validate(s)))
	}
	return errors.Join(errs...)
}

// checkSizes reports what is wrong with the sizes.
func (s Settings) checkSizes() error {
	var errs []error
	if s.MaxBytes < 0 {
		errs = append(errs, fmt.Errorf("max_bytes: %s is negative", s.MaxBytes))
	}
	if s.MaxValue < 1 || s.MaxValue > plugins.GiB {
		errs = append(errs, fmt.Errorf("max_value: %s is not from 1B to 1GiB", s.MaxValue))
	} else if s.MaxBytes > 0 && s.MaxValue > s.MaxBytes {
		errs = append(errs, fmt.Errorf("max_value: %s is more than max_bytes, %s", s.MaxValue, s.MaxBytes))
	}
	if s.MaxBody < 1 || s.MaxBody > plugins.GiB {
		errs = append(errs, fmt.Errorf("max_body: %s is not from 1B to 1GiB", s.MaxBody))
	}
	return errors.Join(errs...)
}

// asksMeanings reports whether questions are compared by what they mean, here or
// by a rule.
func (s Settings) asksMeanings() bool {
	if s.Semantic.Enabled {
		return true
	}
	for _, r := range s.Rules {
		if r.Semantic != nil && *r.Semantic {
			return true
		}
	}
	return false
}

// validate reports every problem, each with its key first.
func (s Semantic) validate(used bool) error {
	var errs []error
	if used && s.Model == "" {
		errs = append(errs, errors.New("model: name the model of the embeddings, such as text-embedding-3-small"))
	}
	if s.Threshold < 0.5 || s.Threshold > 1 || s.Threshold != s.Threshold {
		errs = append(errs, fmt.Errorf("threshold: %v is not from 0.5 to 1", s.Threshold))
	}
	if s.Dimensions < 0 || s.Dimensions > 16384 {
		errs = append(errs, fmt.Errorf("dimensions: %d is not from 0 to 16384", s.Dimensions))
	}
	if s.MaxEntries < 1 || s.MaxEntries > 1_000_000 {
		errs = append(errs, fmt.Errorf("max_entries: %d is not from 1 to 1000000", s.MaxEntries))
	}
	if s.Timeout < time.Millisecond || s.Timeout > time.Minute {
		errs = append(errs, fault.Within("timeout", s.Timeout, time.Millisecond, time.Minute))
	}
	return errors.Join(errs...)
}

// validate reports every problem of the rule, each with its key first. outer are
// the settings that it is in.
func (r Rule) validate(outer Settings) error {
	effects := outer.Effects
	if r.Effects != nil {
		effects = *r.Effects
	}
	errs := []error{checkEndpoints(r.Endpoints, effects), checkModels(r.Models)}
	if r.Scope != "" {
		errs = append(errs, fault.OneOf("scope", r.Scope, scopeClient, scopeGroup, scopeShared))
	}
	for _, d := range []struct {
		key   string
		value *time.Duration
	}{{"ttl", r.TTL}, {"stale_while_revalidate", r.StaleWhileRevalidate}, {"stale_if_error", r.StaleIfError}} {
		if d.value != nil {
			errs = append(errs, fault.Negative(d.key, *d.value))
		}
	}
	if slices.Contains(r.Clients, "") {
		errs = append(errs, errors.New("clients: an empty name is nobody's"))
	}
	if slices.Contains(r.Groups, "") {
		errs = append(errs, errors.New("groups: an empty name is no group's"))
	}
	return errors.Join(errs...)
}

func checkEndpoints(endpoints []string, effects bool) error {
	var errs []error
	for _, e := range endpoints {
		if err := checkEndpoint(e, effects); err != nil {
			errs = append(errs, fmt.Errorf("endpoints: %q %w", e, err))
		}
	}
	return errors.Join(errs...)
}

func checkModels(globs []string) error {
	if slices.Contains(globs, "") {
		return errors.New("models: an empty glob fits no model")
	}
	return nil
}

// checkEndpoint reports what is wrong with a path of Endpoints.
func checkEndpoint(pattern string, effects bool) error {
	if _, err := path.Match(pattern, ""); err != nil || !strings.HasPrefix(pattern, "/") {
		return errors.New("is not a path such as /v1/embeddings")
	}
	if strings.ContainsAny(path.Base(pattern), "*?[") {
		return errors.New("leaves its last segment open")
	}
	if segment := never(pattern); segment != "" && !effects {
		return fmt.Errorf("is cached only with effects: true, for its answers are made or kept by the upstream: %s", segment)
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
