package limit

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/internal/gcra"
	"github.com/holysheep/relay/plugins"
)

// rule is a rule of the configuration with its state: the settings are those
// of one generation, the state is shared by all that have the rule.
type rule struct {
	Rule
	name string

	rate    gcra.Rate
	buckets *gcra.Buckets // nil without a rate
	flights *flights      // nil without a limit in flight

	// The series of the rule, made when they are first wanted: a configuration
	// that is refused after New leaves none behind.
	admitted, late, crowded func() prometheus.Counter
	inFlight                func() prometheus.Gauge
}

// newRules returns the rules of s in the order of their names, the replica's
// own first. That one counts even where it has no limit, so that the count is
// right when it gets one.
func newRules(s Settings, env plugins.Env, m *metrics) ([]*rule, error) {
	first, err := newRule(replica, Rule{Per: perGlobal, InFlight: s.MaxInFlight}, env, m)
	if err != nil {
		return nil, err
	}
	rules := []*rule{first}
	for _, name := range slices.Sorted(maps.Keys(s.Rules)) {
		r, err := newRule(name, s.Rules[name], env, m)
		if err != nil {
			return nil, fmt.Errorf("rules.%s: %w", name, err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func newRule(name string, settings Rule, env plugins.Env, m *metrics) (r *rule, err error) {
	r = &rule{Rule: settings, name: name}
	key := "rules." + name + "." + settings.Per
	if settings.Requests > 0 {
		if r.rate, err = settings.rate(); err != nil {
			return nil, err
		}
		r.buckets, err = plugins.Keep(env, key+".requests", func() (*gcra.Buckets, error) { return gcra.NewBuckets(r.rate), nil })
		if err != nil {
			return nil, err
		}
	}
	if settings.InFlight > 0 || name == replica {
		r.flights, err = plugins.Keep(env, key+".in_flight", func() (*flights, error) { return &flights{}, nil })
		if err != nil {
			return nil, err
		}
	}
	decision := func(label string) func() prometheus.Counter {
		return sync.OnceValue(func() prometheus.Counter { return m.decisions.WithLabelValues(name, label) })
	}
	r.admitted, r.late, r.crowded = decision(admitted), decision(late), decision(crowded)
	r.inFlight = sync.OnceValue(func() prometheus.Gauge { return m.inFlight.WithLabelValues(name) })
	return r, nil
}

// key is whose counters a request of client goes by.
func (r *rule) key(client string) string {
	if r.Per == perGlobal {
		return ""
	}
	return client
}

// show makes the series of the rule, at 0.
func (r *rule) show() {
	r.admitted()
	if r.buckets != nil {
		r.late()
	}
	if r.flights != nil {
		r.crowded()
		r.inFlight()
	}
}

// active returns how many of the rules limit something.
func active(rules []*rule) (n int) {
	for _, r := range rules {
		if r.Requests > 0 || r.InFlight > 0 {
			n++
		}
	}
	return n
}
