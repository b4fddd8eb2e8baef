package failover

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

const (
	maxKnown = 1 << 20 // subjects of one counter that a store which lost its data is told of
	maxRaise = 500     // counters raised at once
	maxRenew = 1000    // flights renewed at once

	// maxSlow is how many times longer than Probe it takes between two questions
	// when the store comes and goes: one that answers beats and nothing else
	// costs some requests the deadline each time.
	maxSlow = 8
)

// worker is the state of the goroutine: when it does what next.
type worker struct {
	down                      bool // whether it knows of the outage
	beat, renew, flush, probe time.Time
	lease                     time.Duration // by which flights were renewed, or were to be
	upSince                   time.Time
	slow                      time.Duration // how many times longer than Probe it waits while the store is down

	epoch string
	lost  bool // the store has lost its data, and was not told yet what is known
}

// run does everything that no request waits for. In one goroutine renewals and
// settlements keep their order, so that what was let go is not renewed after.
// ctx ends it after what it is asking.
func (l *Ledger) run(ctx context.Context) {
	defer close(l.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
		timer.Reset(l.step(ctx))
	}
}

// step does what is due, and returns how long nothing is.
func (l *Ledger) step(ctx context.Context) time.Duration {
	w := &l.work
	if !l.up.Load() {
		return l.await(ctx)
	}
	if l.due(w.beat) {
		if err := l.heartbeat(ctx); err != nil {
			w.beat = l.after(err, 0)
		}
	}
	if l.up.Load() && l.keepDue() {
		_ = l.keep(ctx) // it is due again soon
	}
	if l.up.Load() && l.due(w.flush) {
		_, err := l.tell(ctx)
		if w.flush = l.after(err, 0); err != nil {
			w.renew = w.flush // the flights of what was let pass may not have been told
		}
	}
	if !l.up.Load() {
		return l.await(ctx)
	}
	next := slices.MinFunc([]time.Time{w.beat, w.renew}, time.Time.Compare)
	if w.flush.After(l.opts.Now()) && w.flush.Before(next) {
		next = w.flush
	}
	return max(next.Sub(l.opts.Now()), 0)
}

func (l *Ledger) due(at time.Time) bool { return !l.opts.Now().Before(at) }

// after is when to do again what ended with err: after an interval, soon after
// a failure.
func (l *Ledger) after(err error, interval time.Duration) time.Time {
	if err != nil {
		interval = l.jitter(l.opts.Probe)
	}
	return l.opts.Now().Add(interval)
}

// jitter is an interval, give or take a quarter: many replicas do not ask at
// the same time.
func (l *Ledger) jitter(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2+1) //nolint:gosec // it hides nothing
}

// await asks whether the store is back, if it is time to.
func (l *Ledger) await(ctx context.Context) time.Duration {
	w := &l.work
	if !w.down {
		w.down = true
		if l.opts.Now().Sub(w.upSince) < maxSlow*l.opts.Probe*2 {
			w.slow = min(2*w.slow, maxSlow)
		} else {
			w.slow = 1
		}
		w.probe = l.nextProbe()
	}
	if l.due(w.probe) {
		if err := l.recover(ctx); err == nil {
			w.down, w.upSince = false, l.opts.Now()
			return 0
		}
		w.probe = l.nextProbe()
	}
	return max(w.probe.Sub(l.opts.Now()), 0)
}

func (l *Ledger) nextProbe() time.Time {
	return l.opts.Now().Add(l.jitter(l.opts.Probe * l.work.slow))
}

// heartbeat says that this replica lives, and tells a store that has lost its
// data what is known.
func (l *Ledger) heartbeat(ctx context.Context) error {
	if err := l.beat(ctx); err != nil {
		return err
	}
	if !l.work.lost {
		return nil
	}
	if err := l.keep(ctx); err != nil {
		return err
	}
	return l.raise(ctx)
}

// stir notes that the goroutine is at work, and for how long at most it asks.
func (l *Ledger) stir(within time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.opts.Now()
	l.wakeUp(now)
	l.awake = now.Add(max(within, 0) + l.nap())
}

// wakeUp notices that this replica was stopped for a while: see lives.
func (l *Ledger) wakeUp(now time.Time) {
	if !l.awake.IsZero() && now.After(l.awake) {
		l.awake = time.Time{}
		l.share = l.lives.sleep(l.share)
	}
}

// pulse beats and renews if it is time to. Whatever can take long, for much is
// to be told to the store, does it between its parts: else this replica would
// be taken for gone, and its flights for let go.
func (l *Ledger) pulse(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.due(l.work.beat) {
		if err := l.beat(ctx); err != nil {
			return err
		}
	}
	if l.keepDue() {
		return l.keep(ctx)
	}
	return nil
}

// keep renews all flights that the store knows of.
func (l *Ledger) keep(ctx context.Context) error {
	lease := l.tuned.Load().lease // what is tuned meanwhile renews once more
	err := l.renew(ctx, l.told)
	l.work.renew, l.work.lease = l.after(err, lease/3), lease
	return err
}

func (l *Ledger) beat(ctx context.Context) error {
	var b ledger.Beat
	before := l.forget()
	err := l.ask(ctx, "beat", l.deadline(), func(ctx context.Context) (err error) {
		b, err = l.remote.Beat(ctx, l.ttl())
		return err
	})
	w := &l.work
	if w.beat = l.after(err, l.opts.Beat); err != nil {
		l.recall(before)
		return err
	}
	if w.epoch != "" && w.epoch != b.Epoch {
		w.lost = true
		l.opts.Log.WarnContext(ctx, "the shared store of the limits has lost its data: it is told what this replica knows")
	}
	w.epoch = b.Epoch
	if w.lost {
		l.recall(before)
	}
	now := l.opts.Now()
	l.mu.Lock()
	l.store = clock{store: b.Now, here: now}
	l.share = l.lives.beat(now, b)
	l.mu.Unlock()
	l.opts.Observer.Live(b.Live)
	return nil
}

// told returns whether the store knows of a hold, or should. Others are not
// renewed: it is not told of their end either.
func (l *Ledger) told(h hold) bool { return h.own == nil || h.round < l.round }

// renew renews the flights of the holds that keep is true for.
func (l *Ledger) renew(ctx context.Context, keep func(hold) bool) error {
	var part []ledger.Held
	n := 0
	send := func() error {
		err := l.ask(ctx, "renew", left(ctx, l.patience()), func(ctx context.Context) error {
			return l.remote.Renew(ctx, part)
		})
		part, n = nil, 0
		return err
	}
	for _, h := range l.flights(keep) {
		for leases := range slices.Chunk(h.Leases, maxRenew) {
			part = append(part, ledger.Held{Counter: h.Counter, Subject: h.Subject, Leases: leases})
			if n += len(leases); n < maxRenew {
				continue
			}
			if err := send(); err != nil {
				return err
			}
		}
	}
	if n == 0 {
		return nil
	}
	return send()
}
