package plugins

import (
	"context"
	"sync"
)

// A Fault is what is wrong with an answer whose status does not say so, or not
// to whom: retry asks again after it, if it may.
type Fault string

// The faults of answers.
const (
	// NoFault is that of an answer which is what its status says.
	NoFault Fault = ""

	// FaultKey is that of an answer which refuses the upstream's key, where
	// another of its keys is left to try.
	FaultKey Fault = "key"

	// FaultEvent is that of a stream which began with an error that passes.
	FaultEvent Fault = "error_event"
)

// An Attempt is one request to one upstream. Whoever asks more than once
// plants a new one in the context of each request that it sends, by
// [WithAttempt]; the pool of upstreams fills it, and makes one where none was
// planted. It is safe for concurrent use, and its zero value is ready.
type Attempt struct {
	mu           sync.Mutex
	upstream     string
	key          string
	model        string
	alternatives int
	unsent       bool
	fault        Fault
	usage        Usage
}

type attemptKey struct{}

// WithAttempt returns a context that carries a.
func WithAttempt(ctx context.Context, a *Attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// AttemptOf returns the attempt that ctx carries, nil if it carries none.
func AttemptOf(ctx context.Context) *Attempt {
	a, _ := ctx.Value(attemptKey{}).(*Attempt)
	return a
}

// Begin notes whom the attempt asks: an upstream, by which of its keys (a
// name, never the key itself), for which model, "" if for none, and how many
// others, healthy and not yet asked, could answer in its place.
func (a *Attempt) Begin(upstream, key, model string, others int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.upstream, a.key, a.model, a.alternatives = upstream, key, model, others
}

// Upstream returns the upstream that is asked, "" before it was chosen.
func (a *Attempt) Upstream() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.upstream
}

// Key returns by which of the upstream's keys it is asked: a name.
func (a *Attempt) Key() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.key
}

// Model returns the model that is asked for: that of the client, or one that it
// falls back on. It is the name that clients use, whatever the upstream calls
// the model.
func (a *Attempt) Model() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.model
}

// Alternatives returns how many others could answer in the attempt's place.
func (a *Attempt) Alternatives() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.alternatives
}

// SetAlternatives changes how many others could answer in the attempt's place,
// where the answer itself shows it.
func (a *Attempt) SetAlternatives(others int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.alternatives = others
}

// SetUnsent notes that the attempt failed before anything was sent.
func (a *Attempt) SetUnsent() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unsent = true
}

// Unsent reports whether the upstream certainly saw nothing of the attempt: it
// was not reached, or all were too busy to be asked.
func (a *Attempt) Unsent() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unsent || a.upstream == ""
}

// SetFault notes what is wrong with the answer.
func (a *Attempt) SetFault(f Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault = f
}

// Fault returns what is wrong with the answer, [NoFault] if nothing is.
func (a *Attempt) Fault() Fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fault
}

// SetUsage notes what the answer has used.
func (a *Attempt) SetUsage(u Usage) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.usage = u
}

// Usage returns what the answer has used. It is there once the body of the
// answer has been read to its end, broken off or closed: whoever watches the
// body finds it in the end function of [Watch].
func (a *Attempt) Usage() Usage {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.usage
}
