package limit

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/holysheep/relay/internal/gcra"
)

// Settings say how many requests may pass.
type Settings struct {
	// MaxInFlight is how many requests may be in flight at once in this
	// replica, whoever sends them, from the first byte to the end of the answer.
	// 0 is no limit.
	MaxInFlight int64 `koanf:"max_in_flight" jsonschema:"minimum=0"`

	// Rules are further limits, by name. A request passes if it passes all.
	Rules map[string]Rule `koanf:"rules" env:"named"`

	// Hint is what a request that was refused because too many are in flight is
	// told to wait: nobody knows when one of them will end.
	Hint time.Duration `koanf:"hint"`

	// Headers are the headers that tell every client how it stands.
	Headers Headers `koanf:"headers"`
}

// A Rule limits requests in a period, requests in flight, or both.
type Rule struct {
	// Per says who shares the rule: global is one for all, client is one for
	// each client.
	Per string `koanf:"per" jsonschema:"enum=global,enum=client"`

	// Requests is how many requests may begin per period in the long run.
	// 0 is no limit.
	Requests int64 `koanf:"requests" jsonschema:"minimum=0"`

	// Period is the time that requests counts for. 0 is a minute.
	Period time.Duration `koanf:"period"`

	// Burst is how many of the requests may come at once after a pause. 0 is as
	// many as requests.
	Burst int64 `koanf:"burst" jsonschema:"minimum=0"`

	// InFlight is how many requests may be in flight at once in this replica.
	// 0 is no limit.
	InFlight int64 `koanf:"in_flight" jsonschema:"minimum=0"`
}

// Headers switch the headers of an answer on and off.
type Headers struct {
	// OpenAI is for x-ratelimit-limit-requests, x-ratelimit-remaining-requests
	// and x-ratelimit-reset-requests.
	OpenAI bool `koanf:"openai"`

	// Plain is for X-RateLimit-Limit, X-RateLimit-Remaining and
	// X-RateLimit-Reset.
	Plain bool `koanf:"plain"`
}

// Values of Rule.Per.
const (
	perGlobal = "global"
	perClient = "client"
)

// replica is the name under which max_in_flight stands among the rules.
const replica = "max_in_flight"

const (
	minHint = time.Millisecond // what retry-after-ms can tell
	maxHint = time.Hour
)

// Defaults returns the settings of a chain that names limit and says no more:
// 100 requests in flight and no rate.
func Defaults() Settings {
	return Settings{
		MaxInFlight: 100,
		Hint:        time.Second,
		Headers:     Headers{OpenAI: true, Plain: true},
	}
}

// Validate implements [plugins.Settings].
func (s Settings) Validate() error {
	var errs []error
	if s.MaxInFlight < 0 {
		errs = append(errs, fmt.Errorf("max_in_flight: %d is negative", s.MaxInFlight))
	}
	if s.Hint < minHint || s.Hint > maxHint {
		errs = append(errs, fmt.Errorf("hint: %s is not from %s to %s", s.Hint, minHint, maxHint))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Rules)) {
		if err := checkName(name); err != nil {
			errs = append(errs, fmt.Errorf("rules: %w", err))
		}
		for _, err := range s.Rules[name].problems() {
			errs = append(errs, fmt.Errorf("rules.%s.%w", name, err))
		}
	}
	return errors.Join(errs...)
}

// checkName holds rules to names that the environment can spell.
func checkName(name string) error {
	if name == replica {
		return fmt.Errorf("%q is the name of the limit of the replica: choose another", name)
	}
	if !regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`).MatchString(name) {
		return fmt.Errorf("%q is not a name of lower-case letters, digits and single _ between them that begins with a letter", name)
	}
	return nil
}

// problems returns all that is wrong with the rule, each with its key first.
func (r Rule) problems() []error {
	var errs []error
	if r.Per != perGlobal && r.Per != perClient {
		errs = append(errs, fmt.Errorf("per: %q is not one of %s, %s", r.Per, perGlobal, perClient))
	}
	if r.InFlight < 0 {
		errs = append(errs, fmt.Errorf("in_flight: %d is negative", r.InFlight))
	}
	if r.Requests == 0 {
		return append(errs, r.idle()...)
	}
	if r.Requests < 0 {
		return append(errs, fmt.Errorf("requests: %d is negative", r.Requests))
	}
	if r.Period < 0 {
		return append(errs, fmt.Errorf("period: %s is negative", r.Period))
	}
	if r.Burst < 0 {
		return append(errs, fmt.Errorf("burst: %d is negative", r.Burst))
	}
	if _, err := r.rate(); err != nil {
		errs = append(errs, fmt.Errorf("requests: %w", err))
	}
	return errs
}

// idle returns what is wrong with a rule that limits no rate.
func (r Rule) idle() []error {
	var errs []error
	if r.InFlight == 0 {
		errs = append(errs, errors.New("requests: neither requests nor in_flight is set, so the rule limits nothing"))
	}
	if r.Period != 0 {
		errs = append(errs, errors.New("period: it means nothing without requests"))
	}
	if r.Burst != 0 {
		errs = append(errs, errors.New("burst: it means nothing without requests"))
	}
	return errs
}

// period returns the time that the requests count for.
func (r Rule) period() time.Duration {
	if r.Period == 0 {
		return time.Minute
	}
	return r.Period
}

// rate returns the rate of a rule that has requests.
func (r Rule) rate() (gcra.Rate, error) {
	burst := r.Burst
	if burst == 0 {
		burst = r.Requests
	}
	return gcra.NewRate(r.Requests, r.period(), burst)
}
