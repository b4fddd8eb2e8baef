package failover

import "time"

// A tuning is those of the [Options] that can change, but for Replicas, which is
// for lives to know.
type tuning struct {
	deadline, lease time.Duration
	failures        int
}

// Tune changes Deadline, Failures, Lease and Replicas to those of o, also in an
// outage: it goes on, by what is known of the counters. So does the share, unless
// Replicas is another number: then it is of so many, as far as [Options] and
// the latest beats allow. Where the store keeps the lease itself, it is told of
// another one before: then all flights are renewed by it at once.
func (l *Ledger) Tune(o Options) {
	o = o.filled()
	l.mu.Lock()
	l.tuned.Store(o.tuning())
	l.share = l.lives.tune(l.share, l.ttl(), int64(o.Replicas))
	l.mu.Unlock()
	l.nudge()
}

func (o Options) tuning() *tuning {
	return &tuning{deadline: o.Deadline, lease: o.Lease, failures: o.Failures}
}

func (l *Ledger) deadline() time.Duration { return l.tuned.Load().deadline }

// ttl is how long a beat says that this replica lives: two of three may be
// lost.
func (l *Ledger) ttl() time.Duration { return 3*l.opts.Beat + l.deadline() }

// nap is for how long the goroutine may do nothing: it beats or asks whether the
// store is back more often. Who has beaten just before is not forgotten after it.
func (l *Ledger) nap() time.Duration { return l.ttl() - l.opts.Beat }

// patience is the deadline of what no request waits for: a batch takes longer
// than a decision, and giving one up leaves open whether it was done.
func (l *Ledger) patience() time.Duration { return 10 * l.deadline() }

// keepDue returns whether flights are to be renewed: it is time to, or they were
// renewed by another lease.
func (l *Ledger) keepDue() bool {
	return l.due(l.work.renew) || l.work.lease != l.tuned.Load().lease
}
