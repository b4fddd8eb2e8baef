package failover

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// Take implements [ledger.Ledger]. It waits for the store for the deadline at
// most, whatever ctx says: a take that is given up leaves open whether it was
// done, and that of a client that has left is settled like any other.
func (l *Ledger) Take(ctx context.Context, t *ledger.Ticket) bool {
	t.Lease = l.leases.Add(1)
	if l.up.Load() {
		var ok bool
		err := l.ask(ctx, "take", l.deadline(), func(ctx context.Context) (err error) {
			ok, err = l.remote.Take(ctx, t)
			return err
		})
		if err == nil {
			l.shared(t, ok)
			return ok
		}
		l.giveBack(t, err)
		t.Lease = l.leases.Add(1) // the one before is about to be given back
	}
	return l.alone(t)
}

// ask does one operation on the store within a time, and counts whether it
// failed.
func (l *Ledger) ask(ctx context.Context, op string, within time.Duration, do func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	if ofRequest := op == "take" || op == "read" || op == "reset"; !ofRequest {
		l.stir(within)
		defer l.stir(0)
	}
	begin := l.opts.Now()
	err := do(bounded)
	l.opts.Observer.Asked(op, l.opts.Now().Sub(begin), err)
	l.count(ctx, op == "take", err)
	return err
}

// count counts failures in a row, those of requests apart from the others: a
// store that settles and does not decide is down too. When they are too many an
// outage begins; that it ends is for recover to say.
func (l *Ledger) count(ctx context.Context, request bool, err error) {
	l.mu.Lock()
	failed := &l.failed.others
	if request {
		failed = &l.failed.takes
	}
	if err == nil {
		*failed = 0
		l.mu.Unlock()
		return
	}
	*failed++
	begins := l.up.Load() && *failed >= l.tuned.Load().failures
	if begins {
		l.up.Store(false)
		l.since = l.opts.Now()
	}
	s := l.share
	l.mu.Unlock()
	if begins {
		l.opts.Observer.Changed(ledger.ModeLocal)
		l.outage(ctx, s, err)
		l.nudge()
	}
}

// outage logs that an outage begins.
func (l *Ledger) outage(ctx context.Context, s share, err error) {
	if s.of == 0 {
		l.opts.Log.ErrorContext(ctx, "the shared store of the limits does not answer, and this replica has no share yet: it refuses what is not open",
			"err", err)
		return
	}
	l.opts.Log.WarnContext(ctx, "the shared store of the limits does not answer: each replica goes by its share",
		"err", err, "replicas", s.of)
}

// shared takes in what the store has decided.
func (l *Ledger) shared(t *ledger.Ticket, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	flies, owes := false, false
	for i := range t.Claims {
		c := &t.Claims[i]
		c.Mode = ledger.ModeShared
		if c.Counter.Kind == ledger.KindFlight {
			flies = flies || c.Taken
			continue
		}
		l.seen[c.Counter.Name] = seen{counter: c.Counter, limit: c.Limit}
		owes = owes || l.debts.has(c)
	}
	if ok && flies {
		l.held[t.Lease] = hold{ticket: t}
		l.mem.Hold(t)
	}
	switch {
	case !l.up.Load(): // the counters are this replica's share now
	case owes:
		// What the store does not know yet is kept until it was told.
		l.learn(slices.DeleteFunc(slices.Clone(t.Claims), func(c ledger.Claim) bool { return l.debts.has(&c) }))
	default:
		l.learn(t.Claims)
	}
}

func (l *Ledger) learn(claims []ledger.Claim) {
	l.remember(claims)
	l.mem.Learn(claims)
}

// giveBack settles a take of which nobody knows whether it was done. Its flights
// are let go whether they were held or not. What it took of rates and budgets is
// given back only if the store has said that it was taken: who gave back what
// was not taken would let too much pass. So the cost of a take that was done,
// and whose answer was lost, stays charged.
func (l *Ledger) giveBack(t *ledger.Ticket, err error) {
	back := &ledger.Ticket{Lease: t.Lease, Claims: slices.Clone(t.Claims)}
	for i := range back.Claims {
		c := &back.Claims[i]
		c.Actual = 0
		c.Taken = c.Taken || c.Counter.Kind == ledger.KindFlight && !unsent(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.push(back)
}

// unsent returns whether an error is that of an operation which the store cannot
// have got.
func unsent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// alone decides without the store, each claim as its Down says. A claim that
// costs nothing always has room. If the store is up after all, the goroutine
// tells it soon.
func (l *Ledger) alone(t *ledger.Ticket) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.opts.Now()
	l.wakeUp(at)
	own := &ledger.Ticket{Lease: t.Lease, Claims: make([]ledger.Claim, 0, len(t.Claims))}
	refused := false
	for i := range t.Claims {
		c := &t.Claims[i]
		c.Taken, c.Used, c.Wait, c.Reset, c.At = false, 0, 0, 0, 0
		switch c.Down {
		case ledger.DownOpen:
			c.Mode = ledger.ModeOpen
		case ledger.DownClosed:
			c.Mode = ledger.ModeClosed
			if !free(c) {
				c.Wait = ledger.Unknown
				refused = refused || !c.Shadow
			}
		default:
			c.Mode = ledger.ModeLocal
			own.Claims = append(own.Claims, l.share.scaled(*c))
		}
	}
	if refused {
		l.mem.Read(own.Claims)
	} else {
		refused = !l.mem.Take(own)
	}
	for i, n := range locals(t) {
		l.share.tell(&t.Claims[i], own.Claims[n])
	}
	if !refused {
		l.owe(t, own, at)
	}
	return !refused
}

// locals yields the index of each claim of t that was decided by this replica's
// share, and which of those it is.
func locals(t *ledger.Ticket) func(yield func(i, n int) bool) {
	return func(yield func(i, n int) bool) {
		n := 0
		for i := range t.Claims {
			if t.Claims[i].Mode != ledger.ModeLocal {
				continue
			}
			if !yield(i, n) {
				return
			}
			n++
		}
	}
}
