package cache

import "sync"

// A latch opens once. Its zero value is not ready: make one with newLatch.
type latch struct {
	once sync.Once
	c    chan struct{} // closed when it is open
}

func newLatch() *latch { return &latch{c: make(chan struct{})} }

func (l *latch) open() { l.once.Do(func() { close(l.c) }) }

// isOpen reports whether it is open.
func (l *latch) isOpen() bool {
	select {
	case <-l.c:
		return true
	default:
		return false
	}
}
