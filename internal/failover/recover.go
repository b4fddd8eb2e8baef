package failover

import (
	"context"
	"slices"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// recover asks whether the store is back, and if so, hands over to it: the
// flights that are held, then what was known if it has lost its data, then what
// has passed meanwhile, and what was settled. Requests are decided by this
// replica's share all the time. What passes while it hands over is little: that
// is handed over a second time, and what still comes is collected in the step
// from which on requests ask the store, so that nothing is forgotten or told
// twice. The store gets that one round trip later.
func (l *Ledger) recover(ctx context.Context) error {
	if err := l.heartbeat(ctx); err != nil {
		return err
	}
	if err := l.keep(ctx); err != nil {
		return err
	}
	counters := 0
	for range 2 {
		n, err := l.tell(ctx)
		if err != nil {
			return err
		}
		counters += n
	}
	down, h := l.resume()
	counters += h.counters
	l.opts.Observer.Changed(ledger.ModeShared)
	l.opts.Log.InfoContext(ctx, "the shared store of the limits answers again", "down_for_ms", down.Milliseconds(), "counters_handed_over", counters)
	w := &l.work
	w.beat, w.renew = l.after(nil, l.opts.Beat), l.after(nil, w.lease/3)
	w.flush = l.after(l.send(ctx, h), 0)
	return nil
}

// resume ends the outage for requests, and returns how long it was and what is
// still to be sent.
func (l *Ledger) resume() (time.Duration, handover) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.collect()
	now := l.opts.Now()
	down := now.Sub(l.since)
	l.since, l.failed, l.full = now, struct{ takes, others int }{}, false
	l.up.Store(true)
	return down, h
}

// tell tells the store what it was not asked about, and settles. It returns of
// how many counters.
func (l *Ledger) tell(ctx context.Context) (int, error) {
	l.mu.Lock()
	h := l.collect()
	l.mu.Unlock()
	return h.counters, l.send(ctx, h)
}

// send sends what was collected: the flights first, so that what of them was
// settled since ends after it was told of.
func (l *Ledger) send(ctx context.Context, h handover) error {
	if h.counters > 0 {
		l.opts.Observer.HandedOver(h.counters)
	}
	if h.flights {
		if err := l.renew(ctx, func(t hold) bool { return t.own != nil && t.round == h.round }); err != nil {
			return err
		}
	}
	return l.flush(ctx)
}

// raise tells a store that has lost its data how the counters stood, as far as
// this replica knows. All replicas do, and the highest counts.
func (l *Ledger) raise(ctx context.Context) error {
	epoch := l.work.epoch
	for claims := range l.remembered(maxRaise) {
		if err := l.lift(ctx, claims); err != nil {
			return err
		}
	}
	for _, s := range l.counters() {
		for subjects := range slices.Chunk(l.mem.Subjects(s.counter, maxKnown), maxRaise) {
			claims := l.known(s, subjects)
			if len(claims) == 0 {
				continue
			}
			if err := l.lift(ctx, claims); err != nil {
				return err
			}
		}
	}
	if l.work.lost = l.work.epoch != epoch; !l.work.lost {
		l.forget()
	}
	return nil
}

func (l *Ledger) lift(ctx context.Context, claims []ledger.Claim) error {
	if err := l.pulse(ctx); err != nil {
		return err
	}
	return l.ask(ctx, "raise", l.patience(), func(ctx context.Context) error {
		return l.remote.Raise(ctx, claims)
	})
}
