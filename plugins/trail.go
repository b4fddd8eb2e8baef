package plugins

import (
	"slices"
	"sync"
)

// A Trail tells whom one request has asked: its attempts, in the order in
// which they began. The pool of upstreams writes it, so that a further attempt
// can go elsewhere. The zero Trail is ready to use.
type Trail struct {
	mu       sync.Mutex
	attempts []*Attempt
	answer   *Attempt // nil is the latest
	of       *Trail   // stands in its place; nil if none does
}

// lock returns the trail that t stands for, locked.
func (t *Trail) lock() *Trail {
	t.mu.Lock()
	if of := t.of; of != nil {
		t.mu.Unlock()
		return of.lock()
	}
	return t
}

// follow puts of in the place of t; nil puts t back.
func (t *Trail) follow(of *Trail) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of = of
}

// Begin adds an attempt, which is about to be sent.
func (t *Trail) Begin(a *Attempt) {
	t = t.lock()
	defer t.mu.Unlock()
	t.attempts = append(t.attempts, a)
}

// Note adds an attempt at the upstream, with so many others left, for whoever
// needs no more of an attempt than that.
func (t *Trail) Note(upstream string, others int) {
	a := &Attempt{}
	a.Begin(upstream, "", "", others)
	t.Begin(a)
}

// Choose says whose answer stands, where two attempts ran beside each other.
// Without it the latest attempt's does.
func (t *Trail) Choose(a *Attempt) {
	t = t.lock()
	defer t.mu.Unlock()
	t.answer = a
}

// Chosen reports whether attempts ran beside each other, of which one was
// chosen.
func (t *Trail) Chosen() bool {
	t = t.lock()
	defer t.mu.Unlock()
	return t.answer != nil
}

// Answer returns the attempt whose answer stands, nil if nobody was asked.
func (t *Trail) Answer() *Attempt {
	t = t.lock()
	defer t.mu.Unlock()
	if t.answer != nil || len(t.attempts) == 0 {
		return t.answer
	}
	return t.attempts[len(t.attempts)-1]
}

// All returns the attempts so far.
func (t *Trail) All() []*Attempt {
	t = t.lock()
	defer t.mu.Unlock()
	return slices.Clone(t.attempts)
}

// Asked reports whether the request has asked the upstream before.
func (t *Trail) Asked(upstream string) bool {
	t = t.lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.attempts, func(a *Attempt) bool { return a.Upstream() == upstream })
}

// Attempts returns how often an upstream was asked.
func (t *Trail) Attempts() int {
	t = t.lock()
	defer t.mu.Unlock()
	return len(t.attempts)
}

// Last returns the upstream whose answer stands, "" if none was asked.
func (t *Trail) Last() string {
	if a := t.Answer(); a != nil {
		return a.Upstream()
	}
	return ""
}
