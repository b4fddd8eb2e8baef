package breaker

import "time"

// Answered reports that a good answer has begun, which ends an ejection that
// was there when the request was sent. It returns the ticket under which the
// rest of the answer is reported. A request that was sent before the ejection
// proves nothing.
func (b *Breaker) Answered(now time.Time, t Ticket) (Ticket, Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.out || t.epoch != b.epoch {
		return t, Change{}
	}
	c := Change{Back: true, Reason: b.reason, For: now.Sub(b.since)}
	b.until = time.Time{}
	b.turn(now, false)
	return Ticket{epoch: b.epoch}, c
}

// Success reports an answer that was good to its end.
func (b *Breaker) Success(now time.Time, t Ticket) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.epoch == b.epoch && !b.out {
		b.failed = 0
		b.window.count(now, false)
	}
}

// Forget reports a request of which nothing can be said, as one that was given
// up. If it was the trial, the next request is.
func (b *Breaker) Forget(t Ticket) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holdsTrial(t) {
		b.lease = time.Time{}
	}
}

// Failure reports a failure, with the wait that it asked for, 0 if none. The
// wait counts whenever the request was sent; the failure itself only if nothing
// has changed since then. Beside a trial, what others fail at while they are not
// let through counts for nothing.
func (b *Breaker) Failure(now time.Time, t Ticket, wait time.Duration) Change {
	b.mu.Lock()
	defer b.mu.Unlock()
	trial := b.holdsTrial(t)
	wait = min(wait, b.rules.MaxEjection)
	switch {
	case wait > 0 && (trial || !b.out):
		return b.eject(now, ByRetryAfter, wait)
	case wait > 0:
		if end := now.Add(wait); end.After(b.until) {
			b.until = end
		}
		return Change{}
	case trial:
		return b.eject(now, ByTrial, b.longer(now))
	case b.out || t.epoch != b.epoch:
		return Change{}
	}
	b.failed++
	b.window.count(now, true)
	switch {
	case b.rules.Failures > 0 && b.failed >= b.rules.Failures:
		return b.eject(now, ByFailures, b.longer(now))
	case b.rules.ErrorPercent > 0 && b.window.reaches(b.rules.ErrorPercent, b.rules.MinRequests):
		return b.eject(now, ByErrorRate, b.longer(now))
	}
	return Change{}
}

// holdsTrial reports whether t is the trial that is on its way.
func (b *Breaker) holdsTrial(t Ticket) bool {
	return t.trial != 0 && b.out && t.epoch == b.epoch && t.trial == b.trial && !b.lease.IsZero()
}

// longer returns how long the next ejection lasts: twice as long as the one
// before it, or as the first if that is long past.
func (b *Breaker) longer(now time.Time) time.Duration {
	if !b.out && now.Sub(b.since) >= max(b.rules.Window, b.length) {
		b.times = 0
	}
	length := b.rules.Ejection
	for range b.times {
		if length > b.rules.MaxEjection/2 {
			length = b.rules.MaxEjection
			break
		}
		length *= 2
	}
	b.times++
	return min(length, b.rules.MaxEjection)
}

func (b *Breaker) eject(now time.Time, why Reason, length time.Duration) Change {
	again := b.out
	b.reason, b.length, b.until = why, length, now.Add(length)
	b.turn(now, true)
	return Change{Out: true, Again: again, Reason: why, For: length}
}

// turn begins a new epoch, which counts from nothing.
func (b *Breaker) turn(now time.Time, out bool) {
	if b.out != out {
		b.out, b.since = out, now
	}
	b.lease = time.Time{}
	b.epoch++
	b.failed = 0
	b.window.clear()
}

// A Status is what operators want to know of a breaker.
type Status struct {
	State    State
	Reason   Reason        // of the ejection; "" if healthy
	Since    time.Time     // of the latest change from healthy to not, or back
	Until    time.Time     // the end of the ejection; zero if healthy
	Failures int           // in a row
	Requests int           // reported within the window
	Failed   int           // of these
	Left     time.Duration // until the ejection ends
}

// Status returns the breaker's state in full.
func (b *Breaker) Status(now time.Time) Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Status{State: b.state(now), Since: b.since, Failures: b.failed}
	b.window.advance(now)
	s.Requests, s.Failed = b.window.sums()
	if b.out {
		s.Reason, s.Until, s.Left = b.reason, b.until, max(b.until.Sub(now), 0)
	}
	return s
}
