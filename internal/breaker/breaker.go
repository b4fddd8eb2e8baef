// Package breaker decides when something that answers requests is left alone
// because it fails, and when it is tried again. It is told what became of each
// request and looks at failures in a row, at their share within a window of
// time, and at the wait that is asked for in words. After a while one request
// at a time is let through as a trial: it ends the ejection or begins a longer
// one.
//
// It sends nothing, knows no clock but the instants that it is given, and does
// not choose whom else to ask: whoever has nobody else may ask all the same.
package breaker

import (
	"sync"
	"time"
)

// Rules say when a breaker ejects, and for how long.
type Rules struct {
	Failures     int           // that many in a row eject; 0 is no such rule
	ErrorPercent int           // that share of failures within Window ejects; 0 is no such rule
	MinRequests  int           // that many within Window make ErrorPercent mean something
	Window       time.Duration // over which ErrorPercent is reckoned
	Ejection     time.Duration // how long the first one lasts; each one in a row twice as long
	MaxEjection  time.Duration // the longest one, whoever asks for it
}

// A State is how a breaker stands at an instant.
type State uint8

// The states of a breaker.
const (
	Healthy State = iota // nothing is wrong
	Ejected              // left alone until an instant
	Due                  // that instant has passed: the next request is the trial
	OnTrial              // a trial is on its way: the rest wait for what it comes to
)

// A Reason says why a breaker ejected.
type Reason string

// The reasons of ejections.
const (
	ByFailures   Reason = "failures"    // too many in a row
	ByErrorRate  Reason = "error_rate"  // too large a share of them
	ByRetryAfter Reason = "retry_after" // it asked for a wait
	ByTrial      Reason = "trial"       // the trial after an ejection failed
)

// Reasons returns every reason.
func Reasons() []Reason { return []Reason{ByFailures, ByErrorRate, ByRetryAfter, ByTrial} }

// A Change is what a report has changed. Its zero value is nothing.
type Change struct {
	Out    bool          // an ejection began
	Again  bool          // it followed another one: the trial failed
	Back   bool          // it is healthy again
	Reason Reason        // why it is out, or was
	For    time.Duration // how long it is out, or was
}

// A Breaker keeps the health of one thing that answers. Make one with [New]. It
// is safe for concurrent use; one lock guards it all, held for some ten
// nanoseconds.
type Breaker struct {
	mu     sync.Mutex
	rules  Rules
	failed int // in a row
	window window

	out    bool
	epoch  uint64 // counts the changes of out: who began in another one is stale
	reason Reason
	since  time.Time     // when out changed
	until  time.Time     // the end of the ejection
	length time.Duration // of the latest ejection
	times  int           // ejections in a row, those asked for in words aside

	trial uint64    // the latest trial
	lease time.Time // until when the trial has to report; zero if none is on its way
}

// New returns a healthy breaker whose time begins at now.
func New(now time.Time, rules Rules) *Breaker {
	return &Breaker{rules: rules, since: now, window: newWindow(now, rules.Window)}
}

// SetRules has the breaker go by rules from now on. An ejection ends no later
// than the new rules allow; another window forgets what the old one has
// counted.
func (b *Breaker) SetRules(now time.Time, rules Rules) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if rules.Window != b.rules.Window {
		b.window = newWindow(now, rules.Window)
	}
	b.rules = rules
	if end := now.Add(rules.MaxEjection); b.out && b.until.After(end) {
		b.until = end
	}
}

// Look returns how the breaker stands, and how long an ejection still lasts.
func (b *Breaker) Look(now time.Time) (State, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state(now), max(b.until.Sub(now), 0)
}

func (b *Breaker) state(now time.Time) State {
	switch {
	case !b.out:
		return Healthy
	case now.Before(b.until):
		return Ejected
	case now.Before(b.lease):
		return OnTrial
	}
	return Due
}

// A Ticket stands for one request, from before it is sent until it is reported.
type Ticket struct {
	epoch uint64
	trial uint64 // 0 is none
}

// Take returns the ticket of a request that is about to be sent, and whether
// the breaker lets it through. Whoever sends it all the same uses the ticket as
// well: its success ends the ejection. The one that takes the trial has to
// report in time; after as long as the ejection lasted another one gets it.
func (b *Breaker) Take(now time.Time) (Ticket, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := Ticket{epoch: b.epoch}
	switch b.state(now) {
	case Healthy:
		return t, true
	case Due:
		b.trial++
		t.trial, b.lease = b.trial, now.Add(max(b.length, b.rules.Ejection))
		return t, true
	}
	return t, false
}
