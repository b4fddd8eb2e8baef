package limit

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/holysheep/relay/internal/fault"
)

// over returns the rule with the numbers of o in place of its own, without any
// overrides.
func (r Rule) over(o Override) Rule {
	set(&r.Requests, o.Requests)
	set(&r.Burst, o.Burst)
	set(&r.Tokens.Limit, o.Tokens)
	set(&r.InputTokens.Limit, o.InputTokens)
	set(&r.OutputTokens.Limit, o.OutputTokens)
	set(&r.InFlight, o.InFlight)
	set(&r.Budget.USD, o.USD)
	r.Clients, r.Groups = nil, nil
	return r.lifted()
}

// set puts the value, if there is one, in place of what stands there.
func set[T any](into, value *T) {
	if value != nil {
		*into = *value
	}
}

// Complete implements [plugins.Completer]: it puts in the words and periods that
// are meant where a rule does not say them. A burst stays as it is said, for an
// override of requests goes by it.
func (s *Settings) Complete() {
	for name, r := range s.Rules {
		r.OnStoreDown = cmp.Or(r.OnStoreDown, downLocal)
		if r.Requests != 0 {
			r.Period = orMinute(r.Period)
		}
		for _, t := range []*Tokens{&r.Tokens, &r.InputTokens, &r.OutputTokens} {
			if t.Limit != 0 {
				t.Period = orMinute(t.Period)
			}
		}
		if r.Budget.USD != 0 {
			r.Budget.Per = cmp.Or(r.Budget.Per, budgetDay)
		}
		s.Rules[name] = r
	}
}

// lifted returns the rule without what belongs to limits that it does not have.
func (r Rule) lifted() Rule {
	if r.Requests == 0 {
		r.Period, r.Burst = 0, 0
	}
	for _, t := range []*Tokens{&r.Tokens, &r.InputTokens, &r.OutputTokens} {
		if t.Limit == 0 {
			*t = Tokens{}
		}
	}
	if r.InFlight == 0 {
		r.Queue = Queue{}
	}
	if r.Budget.USD == 0 {
		r.Budget = Budget{}
	}
	return r
}

// checkOverrides returns what is wrong with the overrides of the rule.
func (r Rule) checkOverrides() (errs []error) {
	if len(r.Clients) > 0 && r.Per != perClient && r.Per != perClientModel {
		errs = append(errs, fmt.Errorf("clients: no client has numbers of its own with per: %s", r.Per))
	}
	if len(r.Groups) > 0 && r.Per != perClient && r.Per != perClientModel && r.Per != perGroup {
		errs = append(errs, fmt.Errorf("groups: no group has numbers of its own with per: %s", r.Per))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Clients)) {
		errs = append(errs, fault.Under("clients."+name, r.checkOverride(r.Clients[name])))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Groups)) {
		errs = append(errs, fault.Under("groups."+name, r.checkOverride(r.Groups[name])))
	}
	return errs
}

// checkOverride returns what is wrong with one override.
func (r Rule) checkOverride(o Override) error {
	if o == (Override{}) {
		return errors.New("requests: nothing is set, so the override changes nothing")
	}
	var errs []error
	for _, n := range []struct {
		key   string
		value *int64
		has   bool
	}{
		{"requests", o.Requests, r.Requests != 0},
		{"burst", o.Burst, r.Requests != 0},
		{"tokens", o.Tokens, r.Tokens.Limit != 0},
		{"input_tokens", o.InputTokens, r.InputTokens.Limit != 0},
		{"output_tokens", o.OutputTokens, r.OutputTokens.Limit != 0},
		{"in_flight", o.InFlight, r.InFlight != 0},
	} {
		switch {
		case n.value == nil:
		case *n.value < 0:
			errs = append(errs, fmt.Errorf("%s: %d is negative", n.key, *n.value))
		case !n.has:
			errs = append(errs, fmt.Errorf("%s: the rule has no such limit, so there is nothing to change", n.key))
		}
	}
	switch {
	case o.USD == nil:
	case !validUSD(*o.USD):
		errs = append(errs, fmt.Errorf("usd: %g is not from 0 to %d, or less than a nanodollar", *o.USD, maxUSD))
	case r.Budget.USD == 0:
		errs = append(errs, errors.New("usd: the rule has no budget, so there is nothing to change"))
	}
	if len(errs) > 0 || r.checkRequests() != nil {
		return errors.Join(errs...)
	}
	over := r.over(o)
	if o.Burst != nil && *o.Burst > 0 && over.Requests == 0 {
		return errors.New("burst: it means nothing without requests")
	}
	return errors.Join(over.checkRequests(),
		fault.Under("tokens", over.Tokens.validate()), fault.Under("input_tokens", over.InputTokens.validate()),
		fault.Under("output_tokens", over.OutputTokens.validate()))
}
