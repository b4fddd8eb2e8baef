package limit

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/holysheep/relay/internal/fault"
	"github.com/holysheep/relay/internal/ledger"
)

const (
	minHint = time.Millisecond // what retry-after-ms can tell
	maxHint = time.Hour

	minDeadline = time.Millisecond
	maxDeadline = 10 * time.Second

	// minLease leaves time for two renewals that fail.
	minLease = time.Second
	maxLease = time.Hour

	maxQueue = 1_000_000
	maxWait  = time.Hour

	// maxUSD is what nanodollars hold exactly in a store that counts in 64-bit
	// floating point: 2^53 of them are 9,007,199 dollars.
	maxUSD = 9_000_000

	minWindow = time.Minute
	maxWindow = 366 * 24 * time.Hour
)

// Validate implements [plugins.Settings].
func (s Settings) Validate() error {
	var errs []error
	if s.MaxInFlight < 0 {
		errs = append(errs, fmt.Errorf("max_in_flight: %d is negative", s.MaxInFlight))
	}
	errs = append(errs,
		fault.Within("hint", s.Hint, minHint, maxHint),
		fault.OneOf("on_broken", s.OnBroken, brokenPartial, brokenReserved, brokenFree),
		fault.OneOf("unpriced", s.Unpriced, unpricedRefuse, unpricedFree),
		fault.Under("estimate", s.Estimate.validate()),
		fault.Under("store", s.Store.validate()),
	)
	for _, name := range slices.Sorted(maps.Keys(s.Rules)) {
		if err := checkName(name); err != nil {
			errs = append(errs, fmt.Errorf("rules: %w", err))
		}
		errs = append(errs, fault.Under("rules."+name, s.Rules[name].validate()))
	}
	return errors.Join(errs...)
}

// validate reports every problem of the settings of the store, each with its
// key first.
func (s Store) validate() error {
	var errs []error
	if s.Failures < 1 || s.Failures > 1000 {
		errs = append(errs, fmt.Errorf("failures: %d is not from 1 to 1000", s.Failures))
	}
	if s.Replicas < 0 || s.Replicas > 10000 {
		errs = append(errs, fmt.Errorf("replicas: %d is not from 0 to 10000", s.Replicas))
	}
	return errors.Join(append(errs,
		fault.Within("deadline", s.Deadline, minDeadline, maxDeadline),
		fault.Within("lease", s.Lease, minLease, maxLease),
		fault.OneOf("shard", s.Shard, shardNone, shardClient),
	)...)
}

// validate reports every problem of the rule, each with its key first.
func (r Rule) validate() error {
	errs := []error{
		fault.OneOf("per", r.Per, perGlobal, perClient, perGroup, perModel, perClientModel, perHeader),
		r.checkHeader(),
		r.checkRequests(),
		fault.Under("tokens", r.Tokens.validate()),
		fault.Under("input_tokens", r.InputTokens.validate()),
		fault.Under("output_tokens", r.OutputTokens.validate()),
		fault.Under("queue", r.Queue.check(r.InFlight)),
		fault.Under("budget", r.Budget.validate()),
	}
	if slices.Contains(r.Models, "") {
		errs = append(errs, errors.New("models: an empty glob fits no model"))
	}
	if r.InFlight < 0 {
		errs = append(errs, fmt.Errorf("in_flight: %d is negative", r.InFlight))
	}
	if r.OnStoreDown != "" {
		errs = append(errs, fault.OneOf("on_store_down", r.OnStoreDown, downLocal, downOpen, downClosed))
	}
	if !r.limits() {
		errs = append(errs, errors.New("requests: the rule limits nothing: set requests, tokens, input_tokens, output_tokens, in_flight or budget"))
	}
	return errors.Join(append(errs, r.checkOverrides()...)...)
}

// limits reports whether the rule limits anything.
func (r Rule) limits() bool {
	return r.Requests != 0 || r.Tokens.Limit != 0 || r.InputTokens.Limit != 0 || r.OutputTokens.Limit != 0 ||
		r.InFlight != 0 || r.Budget.USD != 0
}

// checkHeader holds the header to one that a request can have when it comes
// here.
func (r Rule) checkHeader() error {
	switch name := textproto.CanonicalMIMEHeaderKey(r.Header); {
	case r.Per == perHeader && name == "":
		return errors.New("header: name the header, for the rule is per header")
	case r.Per != perHeader && name != "":
		return fmt.Errorf("header: it means nothing with per: %s", r.Per)
	case strings.ContainsAny(name, " \t:,;\"\r\n"):
		return fmt.Errorf("header: %q is not the name of a header", r.Header)
	case slices.Contains([]string{"Host", "Trailer", "Transfer-Encoding"}, name):
		return fmt.Errorf("header: %s is not among the headers that a rule sees, so the rule could match nothing", name)
	case slices.Contains([]string{"Authorization", "Cookie", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Proxy-Authorization"}, name):
		return fmt.Errorf("header: %s holds a credential, which no rule sees: use per: client", name)
	}
	return nil
}

// checkRequests returns what is wrong with the rate of requests.
func (r Rule) checkRequests() error {
	var errs []error
	switch {
	case r.Requests < 0:
		errs = append(errs, fmt.Errorf("requests: %d is negative", r.Requests))
	case r.Requests == 0 && r.Period != 0:
		errs = append(errs, errors.New("period: it means nothing without requests"))
	case r.Period < 0:
		errs = append(errs, fmt.Errorf("period: %s is negative", r.Period))
	}
	switch {
	case r.Requests == 0 && r.Burst != 0:
		errs = append(errs, errors.New("burst: it means nothing without requests"))
	case r.Burst < 0:
		errs = append(errs, fmt.Errorf("burst: %d is negative", r.Burst))
	}
	if r.Requests > 0 && len(errs) == 0 {
		if _, _, err := ledger.NewWholeRate(r.Requests, orMinute(r.Period), orAll(r.Burst, r.Requests)); err != nil {
			errs = append(errs, fmt.Errorf("requests: %w", err))
		}
	}
	return errors.Join(errs...)
}

// validate reports every problem of the limit, each with its key first.
func (t Tokens) validate() error {
	switch {
	case t.Limit < 0:
		return fmt.Errorf("limit: %d is negative", t.Limit)
	case t.Limit == 0 && t.Period != 0:
		return errors.New("period: it means nothing without limit")
	case t.Limit == 0 && t.Burst != 0:
		return errors.New("burst: it means nothing without limit")
	case t.Period < 0:
		return fmt.Errorf("period: %s is negative", t.Period)
	case t.Burst < 0:
		return fmt.Errorf("burst: %d is negative", t.Burst)
	case t.Limit == 0:
		return nil
	}
	if _, _, err := ledger.NewRate(t.Limit, orMinute(t.Period), orAll(t.Burst, t.Limit)); err != nil {
		return fmt.Errorf("limit: %w", err)
	}
	return nil
}

// check reports what is wrong with the queue of a rule with that in_flight.
func (q Queue) check(inFlight int64) error {
	switch {
	case q.Size < 0 || q.Size > maxQueue:
		return fmt.Errorf("size: %d is not from 0 to %d", q.Size, maxQueue)
	case q.Size == 0 && q.MaxWait != 0:
		return errors.New("max_wait: it means nothing without size")
	case q.Size > 0 && inFlight == 0:
		return errors.New("size: nothing waits in a rule without in_flight")
	case q.Size > 0:
		return fault.Within("max_wait", q.MaxWait, time.Millisecond, maxWait)
	}
	return nil
}

// validate reports every problem of the budget, each with its key first.
func (b Budget) validate() error {
	switch {
	case !validUSD(b.USD):
		return fmt.Errorf("usd: %g is not from 0 to %d, or less than a nanodollar", b.USD, maxUSD)
	case b.USD == 0 && b.Per != "":
		return errors.New("per: it means nothing without usd")
	case b.Per != budgetRolling && b.Length != 0:
		return errors.New("length: it means nothing unless per is rolling")
	case b.USD == 0:
		return nil
	case b.Per == budgetRolling:
		return fault.Within("length", b.Length, minWindow, maxWindow)
	case b.Per != "":
		return fault.OneOf("per", b.Per, budgetDay, budgetMonth, budgetRolling)
	}
	return nil
}

// validUSD reports whether a store can count to so many dollars.
func validUSD(usd float64) bool {
	return usd == 0 || usd <= maxUSD && nano(usd) > 0 // false of what is no number
}

// nano returns dollars in nanodollars.
func nano(usd float64) int64 { return int64(math.Round(usd * 1e9)) }

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

// orMinute returns the period that a setting means.
func orMinute(period time.Duration) time.Duration {
	if period == 0 {
		return time.Minute
	}
	return period
}

// orAll returns the burst that a setting means.
func orAll(burst, limit int64) int64 {
	if burst == 0 {
		return limit
	}
	return burst
}
