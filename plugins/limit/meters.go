package limit

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/plugins"
)

// A change is what became of tokens or money of a limit.
type change uint8

// The changes.
const (
	reserved change = iota // before the request was sent
	refunded               // given back, since they were not used
	debt                   // used beyond what was reserved
	changes                // how many there are
)

// String returns the change as the label has it.
func (c change) String() string { return [...]string{"reserved", "refunded", "debt"}[c] }

// meters are the series of one rule. They are made when they are first wanted:
// a configuration that is refused after New leaves none behind.
type meters struct {
	admitted func() prometheus.Counter
	refused  [reasons]func() prometheus.Counter
	shadowed [reasons]func() prometheus.Counter
	inFlight func() prometheus.Gauge
	waiting  func() prometheus.Gauge
	changed  [kinds][changes]func() prometheus.Counter // of the kinds that are settled
}

// of returns the series of the rule.
func (m *metrics) of(rule string) *meters {
	counter := func(v *prometheus.CounterVec, labels ...string) func() prometheus.Counter {
		return sync.OnceValue(func() prometheus.Counter { return v.WithLabelValues(labels...) })
	}
	s := &meters{
		admitted: counter(m.decisions, rule, admitted.String()),
		inFlight: sync.OnceValue(func() prometheus.Gauge { return m.inFlight.WithLabelValues(rule) }),
		waiting:  sync.OnceValue(func() prometheus.Gauge { return m.waiting.WithLabelValues(rule) }),
	}
	for r := late; r < reasons; r++ {
		s.refused[r] = counter(m.decisions, rule, r.String())
		s.shadowed[r] = counter(m.decisions, rule, "shadow_"+r.String())
	}
	for c := range changes {
		for _, k := range []kind{kindTokens, kindInput, kindOutput} {
			s.changed[k][c] = counter(m.tokens, rule, k.String(), c.String())
		}
		s.changed[kindBudget][c] = counter(m.dollars, rule, c.String())
	}
	return s
}

// show makes the series of the rule, at 0.
func (r *rule) show() {
	r.meters.admitted()
	refusals := &r.meters.refused
	if r.Shadow {
		refusals = &r.meters.shadowed
	}
	for k := range kinds {
		if r.own[k].n == 0 {
			continue
		}
		refusals[k.reason()]()
		if k == kindFlight {
			r.meters.inFlight()
		}
		if k == kindFlight && r.queue != nil {
			r.meters.waiting()
		}
		for _, changed := range r.meters.changed[k] {
			if changed != nil {
				changed()
			}
		}
	}
}

// reserved notes what the claim has taken.
func (p *part) reserved(c *ledger.Claim) {
	switch {
	case p.kind == kindFlight:
		p.rule.meters.inFlight().Inc()
	case p.kind.settles():
		p.changed(reserved, p.units(c.Cost))
	}
}

// settled notes that a claim which was taken came to so much, as the metrics
// tell it.
func (p *part) settled(c *ledger.Claim, actual float64) {
	switch {
	case p.kind == kindFlight:
		p.rule.meters.inFlight().Dec()
	case !p.kind.settles():
	case c.Actual < c.Cost:
		p.changed(refunded, p.units(c.Cost-c.Actual))
	case c.Actual > c.Cost:
		p.changed(debt, max(actual-p.units(c.Cost), 0)) // Actual may be more than a ledger can tell
	}
}

// changed counts a change of so much.
func (p *part) changed(by change, amount float64) { p.rule.meters.changed[p.kind][by]().Add(amount) }

// units returns an amount that a claim has as the metrics tell it: in dollars or
// in tokens.
func (p *part) units(amount int64) float64 {
	if p.kind.counts() {
		return float64(amount) / (float64(p.size.period.Microseconds()) / float64(p.size.n))
	}
	return p.told(amount)
}

// told returns units of the limit as the metrics tell them.
func (p *part) told(units int64) float64 {
	if p.kind == kindBudget {
		return float64(units) / plugins.Dollar
	}
	return float64(units)
}
