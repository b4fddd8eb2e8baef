package plugins

import (
	"slices"
	"sync"
)

// A Trail tells whom one request has asked. The pool of upstreams writes it,
// so that a further attempt can go elsewhere. The zero Trail is ready to use.
type Trail struct {
	mu    sync.Mutex
	asked []string
	left  int
}

// Note adds the upstream that is asked now, and how many others, healthy and
// not yet asked, could answer the same request.
func (t *Trail) Note(upstream string, others int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked, t.left = append(t.asked, upstream), others
}

// Asked reports whether the request has asked the upstream before.
func (t *Trail) Asked(upstream string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(t.asked, upstream)
}

// Attempts returns how often an upstream was asked.
func (t *Trail) Attempts() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.asked)
}

// Last returns the upstream asked last, "" if none was.
func (t *Trail) Last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.asked) == 0 {
		return ""
	}
	return t.asked[len(t.asked)-1]
}

// Alternatives returns how many upstreams that were healthy and not yet asked
// were left at the last attempt: 0 means that a retry asks one again.
func (t *Trail) Alternatives() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.left
}
