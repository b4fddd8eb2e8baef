package cache

import "sync"

// A board holds the flights that others may join, by their question. A nil
// board holds none.
type board struct {
	mu      sync.Mutex
	flights map[key]*flight
}

// join makes m a member of the flight for k, and returns that. It returns nil if
// there is none that can be joined.
func (b *board) join(k key, m *member) *flight {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.flights[k]; f != nil && f.join(m) {
		return f
	}
	return nil
}

// add puts f on the board, with m as its leader, and returns f. If another
// flight has come first and can be joined, it returns that one, and m is a
// member there. m may be nil for a flight that nobody waits for.
func (b *board) add(f *flight, m *member) *flight {
	if b == nil {
		f.begin(nil, m)
		return f
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := f.q.place.Key
	if other := b.flights[k]; other != nil && (m == nil || other.join(m)) {
		return other
	}
	b.flights[k] = f
	f.begin(b, m)
	return f
}

// drop takes f off the board, if it is there.
func (b *board) drop(f *flight) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if k := f.q.place.Key; b.flights[k] == f {
		delete(b.flights, k)
	}
}

// has reports whether there is a flight for k.
func (b *board) has(k key) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.flights[k] != nil
}
