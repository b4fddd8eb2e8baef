package limit

import (
	"time"

	"github.com/holysheep/relay/internal/gcra"
)

// Reasons of a decision: values of the label decision, and but for the first
// the codes of the answers.
const (
	admitted = "admitted"
	late     = "rate_limit_exceeded"
	crowded  = "concurrency_exceeded"
)

// decision is what became of one request: how it stands with the most pressing
// rule of either kind.
type decision struct{ rate, flight standing }

// standing is how a request stands with one rule; the zero standing is that of
// no rule.
type standing struct {
	rule      *rule
	limit     int64         // requests that the rule lets through at once
	remaining int64         // of these, what is left
	reset     time.Duration // until all are left again
	wait      time.Duration // 0 if the rule let the request through
}

func (d decision) refused() bool { return d.rate.wait > 0 || d.flight.wait > 0 }

// refusal returns the rule that makes the request wait longest, and the code of
// the answer.
func (d decision) refusal() (standing, string) {
	if d.flight.wait > d.rate.wait {
		return d.flight, crowded
	}
	return d.rate, late
}

// count notes the decision in the metrics: a request let through counts for
// every rule, a refused one for the rule that its answer names.
func (d decision) count(rules []*rule) {
	if !d.refused() {
		for _, r := range rules {
			r.admitted().Inc()
			if r.flights != nil {
				r.inFlight().Inc()
			}
		}
		return
	}
	switch s, code := d.refusal(); code {
	case late:
		s.rule.late().Inc()
	case crowded:
		s.rule.crowded().Inc()
	}
}

// slowest returns the standing with the rate that is the most pressing: that
// makes the request wait longest or, if all let it through, has the least left.
// claims belong to those of rules that have a rate, in the same order.
func slowest(rules []*rule, claims []gcra.Claim) (most standing) {
	for _, r := range rules {
		if r.buckets == nil {
			continue
		}
		s := standing{
			rule:      r,
			limit:     r.rate.Burst(),
			remaining: claims[0].State.Remaining,
			reset:     claims[0].State.Reset,
			wait:      claims[0].State.Wait,
		}
		claims = claims[1:]
		if most.rule == nil || s.presses(most) {
			most = s
		}
	}
	return most
}

func (s standing) presses(other standing) bool {
	switch {
	case s.wait != other.wait:
		return s.wait > other.wait
	case s.remaining != other.remaining:
		return s.remaining < other.remaining
	}
	return s.reset > other.reset
}
