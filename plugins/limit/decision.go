package limit

import (
	"slices"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// A decision is what became of one request: how it stands with the most pressing
// limit of either sort, and which limit refused it.
type decision struct {
	requests, tokens, flight standing
	refusal                  standing // none if the request was let through
	passed                   bool
	modes                    uint8 // a set of [ledger.Mode]
}

// A standing is how a request stands with one limit; the zero standing is that
// of none.
type standing struct {
	part
	limit     int64         // units that it lets through at once
	remaining int64         // of these, what is left
	reset     time.Duration // until all are left again
	wait      time.Duration // 0 if it let the request through
	closed    bool          // it refuses since the store cannot be asked
}

func (d *decision) refused() bool { return d.refusal.rule != nil }

// reason returns why the request was refused.
func (s *standing) reason() reason {
	if s.closed {
		return unavailable
	}
	return s.kind.reason()
}

// read takes how the request stands from the claims that were decided. hint
// stands for a time that nobody knows.
func (d *decision) read(p *pass, hint time.Duration) {
	for i := range p.ticket.Claims {
		c := &p.ticket.Claims[i]
		d.modes |= 1 << c.Mode
		if c.Shadow {
			continue
		}
		s := standingOf(p.parts[i], c, hint)
		if !d.passed && s.wait > d.refusal.wait {
			d.refusal = s
		}
		switch {
		case c.Mode == ledger.ModeOpen || c.Mode == ledger.ModeClosed: // nobody counts
		case s.kind == kindRequests:
			d.requests.press(s)
		case s.kind.counts():
			d.tokens.press(s)
		case s.kind == kindFlight:
			d.flight.press(s)
		}
	}
}

// standingOf returns how a claim that was decided stands.
func standingOf(of part, c *ledger.Claim, hint time.Duration) standing {
	s := standing{part: of, limit: of.size.burst, remaining: of.size.left(of.kind, c.Used), closed: c.Mode == ledger.ModeClosed && c.Wait != 0}
	s.reset = micros(c.Reset)
	if of.kind == kindFlight {
		s.reset = hint
	}
	switch {
	case c.Wait >= ledger.Unknown || s.closed: // more than this replica's share is so too
		s.wait = hint
	case c.Wait > 0:
		s.wait = micros(c.Wait)
	}
	return s
}

// refuse refuses a request of which no claim says why it was not let through.
func (d *decision) refuse(p *pass, hint time.Duration) {
	d.refusal = standing{part: p.parts[0], wait: hint, closed: true}
}

// press puts other in place of s if it is the more pressing.
func (s *standing) press(other standing) {
	if s.rule == nil || other.presses(s) {
		*s = other
	}
}

func (s *standing) presses(other *standing) bool {
	switch {
	case s.wait != other.wait:
		return s.wait > other.wait
	case s.remaining != other.remaining:
		return s.remaining < other.remaining
	}
	return s.reset > other.reset
}

// count notes the decision in the metrics: a request let through counts for
// every rule, a refused one for the rule that its answer names. A shadow counts
// what it would have refused of those let through.
func (d *decision) count(p *pass) {
	switch {
	case d.refused():
		d.refusal.rule.meters.refused[d.refusal.reason()]().Inc()
		return
	case !d.passed:
		return
	}
	for i := 0; i < len(p.parts); {
		r, would := p.parts[i].rule, admitted
		for ; i < len(p.parts) && p.parts[i].rule == r; i++ {
			c := &p.ticket.Claims[i]
			switch {
			case c.Taken:
				p.parts[i].reserved(c)
			case c.Shadow && c.Mode == ledger.ModeClosed:
				would = unavailable
			case c.Shadow && c.Mode != ledger.ModeOpen && would == admitted:
				would = p.parts[i].kind.reason()
			}
		}
		switch {
		case slices.Contains(p.spared, r): // counted below
		case would == admitted:
			r.meters.admitted().Inc()
		default:
			r.meters.shadowed[would]().Inc()
		}
	}
	for _, r := range p.spared {
		r.meters.shadowed[priceless]().Inc()
	}
}

// micros returns a time of the ledger.
func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
