package limit

import (
	"context"
	"errors"
	"time"

	"github.com/holysheep/relay/internal/fairqueue"
	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/plugins"
)

// A queue is where requests wait for one of those in flight of a rule to end: a
// line for each of the rule's subjects, in which clients take turns.
type queue = fairqueue.Queue[ledger.Subject]

// newQueue returns the queue of the rule, nil if it has none. All generations
// with the rule share it, so that nobody goes past those who wait already.
func newQueue(r *rule, env plugins.Env, m *metrics) (*queue, error) {
	if r.Queue.Size == 0 || r.Shadow {
		return nil, nil //nolint:nilnil // no queue is no error
	}
	return plugins.Keep(env, "queue."+r.name, func() (*queue, error) {
		return fairqueue.New[ledger.Subject](fairqueue.Options{Size: r.Queue.Size, Left: m.queued(r.name)}), nil
	})
}

// A line is one line of the queue of a rule.
type line struct {
	rule    *rule
	subject ledger.Subject
}

// lines returns the lines of which p holds what others wait for.
func (p *pass) lines() (held []line) {
	for i := range p.parts {
		if r := p.parts[i].rule; p.parts[i].kind == kindFlight && r.queue != nil {
			held = append(held, line{r, p.ticket.Claims[i].Subject})
		}
	}
	return held
}

// wake tells the lines that something was given back.
func wake(lines []line) {
	for _, l := range lines {
		l.rule.queue.Wake(l.subject)
	}
}

// decide decides on p, and has it wait where it may. It counts what came of it.
func (l *limiter) decide(ctx context.Context, p *pass) (d decision) {
	at := l.behind(p)
	if at < 0 {
		d = l.attempt(ctx, p)
		at = l.awaits(&d, p)
	}
	for began := time.Now(); at >= 0; {
		here := at
		r, subject := p.parts[here].rule, p.ticket.Claims[here].Subject
		rest := r.Queue.MaxWait - time.Since(began)
		r.meters.waiting().Inc()
		err := r.queue.Wait(ctx, subject, p.client, rest, func() bool {
			p.ticket.Lease = 0 // of an attempt that came to nothing
			if d = l.attempt(ctx, p); d.refusal.rule == l.replica.rule {
				return false // no place in this replica: that is no reason to lose the turn
			}
			at = l.awaits(&d, p)
			return at != here
		})
		r.meters.waiting().Dec()
		if err != nil {
			d.giveUp(p, here, l.hint, err)
			break
		}
	}
	d.count(p)
	return d
}

// behind returns the claim in whose line somebody waits already, -1 if there is
// none: whoever comes has to queue up behind them.
func (l *limiter) behind(p *pass) int {
	if !l.queues {
		return -1
	}
	for i := range p.parts {
		r := p.parts[i].rule
		if p.parts[i].kind == kindFlight && r.queue != nil && r.queue.Busy(p.ticket.Claims[i].Subject) {
			return i
		}
	}
	return -1
}

// awaits returns the claim for which a request that was refused can wait, -1 if
// there is none: nothing else but flights of rules with a queue may refuse it.
func (l *limiter) awaits(d *decision, p *pass) int {
	if !d.refused() || !l.queues || d.refusal.rule == l.replica.rule {
		return -1
	}
	first := -1
	for i := range p.ticket.Claims {
		c := &p.ticket.Claims[i]
		closed := c.Mode == ledger.ModeClosed
		if c.Shadow || c.Wait == 0 && !closed {
			continue
		}
		if p.parts[i].rule.queue == nil || p.parts[i].kind != kindFlight || c.Wait == ledger.Never || closed {
			return -1
		}
		if first < 0 {
			first = i
		}
	}
	return first
}

// giveUp makes d the refusal of a request that has waited in vain for a claim,
// or whose client has left meanwhile.
func (d *decision) giveUp(p *pass, at int, hint time.Duration, err error) {
	d.passed, d.refusal = false, standing{}
	if !errors.Is(err, fairqueue.ErrFull) && !errors.Is(err, fairqueue.ErrLate) {
		return // nobody is told
	}
	of := p.parts[at]
	d.refusal = standing{part: of, limit: of.size.burst, reset: hint, wait: hint}
	d.flight.press(d.refusal)
}
