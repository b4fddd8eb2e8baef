package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

const (
	// batch is how many tickets are settled at once. A store does some ten
	// thousand a second, so that one batch takes far less than [Options.patience].
	batch = 100

	// maxTries is how often a batch is sent. What fails so often while the
	// store answers beats would otherwise be in the way of the rest for ever.
	maxTries = 5
)

// push queues a ticket for the store, if it changes anything there. If the queue
// is full the oldest goes: its flights end with their lease, its refunds and
// debts are lost.
func (l *Ledger) push(t *ledger.Ticket) {
	if !settles(t) {
		return
	}
	l.queue = append(l.queue, t)
	l.shrink()
	if l.up.Load() {
		l.nudge()
	}
}

// settles returns whether settling t changes anything.
func settles(t *ledger.Ticket) bool {
	for i := range t.Claims {
		c := &t.Claims[i]
		if c.Taken && (c.Counter.Kind == ledger.KindFlight || c.Actual != c.Cost) {
			return true
		}
	}
	return false
}

func (l *Ledger) shrink() {
	if n := len(l.queue) - l.opts.Backlog; n > 0 {
		clear(l.queue[:n]) // the array lives on
		l.queue = l.queue[n:]
		l.drop(n, fmt.Errorf("more than %d wait for the shared store", l.opts.Backlog))
	}
	l.opts.Observer.Backlog(len(l.queue))
}

// drop counts settlements that are lost, and says why once an outage.
func (l *Ledger) drop(n int, why error) {
	l.opts.Observer.Dropped(n)
	if !l.full {
		l.full = true
		l.opts.Log.Warn("settlements of limits are dropped", "err", why)
	}
}

// backlog returns how many tickets the store has not yet settled, as far as it
// has said: those that wait, and those that are under way.
func (l *Ledger) backlog() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue) + l.sending
}

// flush settles what is queued, in order. What comes meanwhile waits for the
// next time: there may always be more.
func (l *Ledger) flush(ctx context.Context) error {
	for n := l.backlog(); n > 0; n -= batch {
		if err := l.pulse(ctx); err != nil {
			return err
		}
		tickets := l.first()
		err := l.ask(ctx, "settle", left(ctx, l.patience()), func(ctx context.Context) error {
			return l.remote.Settle(ctx, tickets)
		})
		if err != nil {
			l.again(tickets, err)
			l.arrived()
			return err
		}
		l.arrived()
		l.tries = 0
	}
	return nil
}

// left is how much of a time ctx leaves.
func left(ctx context.Context, d time.Duration) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		d = min(d, time.Until(end))
	}
	return d
}

// first takes the first batch off the queue.
func (l *Ledger) first() []*ledger.Ticket {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(batch, len(l.queue))
	tickets := append([]*ledger.Ticket(nil), l.queue[:n]...)
	clear(l.queue[:n])
	l.queue, l.sending = l.queue[n:], n
	l.opts.Observer.Backlog(len(l.queue))
	return tickets
}

// arrived says that the first batch is no longer under way.
func (l *Ledger) arrived() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sending = 0
}

// again puts back a batch that failed. Unless the store cannot have got it
// nobody knows what of it was done, but for what the store has marked as no
// longer taken, or has said that it did nothing. What would give back more than
// was taken, done twice, is not sent again: a refund is lost rather than doubled.
// What takes is sent again, and so are flights, which end but once.
func (l *Ledger) again(tickets []*ledger.Ticket, err error) {
	if unsent(err) {
		l.putBack(tickets)
		return
	}
	if l.tries++; l.tries >= maxTries {
		l.tries = 0
		l.mu.Lock()
		defer l.mu.Unlock()
		l.drop(len(tickets), fmt.Errorf("the shared store was asked %d times: %w", maxTries, err))
		return
	}
	undone := errors.Is(err, ledger.ErrUndone)
	left := tickets[:0]
	for _, t := range tickets {
		for i := range t.Claims {
			c := &t.Claims[i]
			c.Taken = c.Taken && (undone || c.Counter.Kind == ledger.KindFlight || c.Actual > c.Cost)
		}
		if settles(t) {
			left = append(left, t)
		}
	}
	l.putBack(left)
}

func (l *Ledger) putBack(tickets []*ledger.Ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(append(make([]*ledger.Ticket, 0, len(tickets)+len(l.queue)), tickets...), l.queue...)
	l.shrink()
}
