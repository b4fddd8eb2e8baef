package cache

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/holysheep/relay/internal/sse"
)

// replay returns the body of a stored stream. With an interval it comes one
// event at a time, the first at once and each other one so long after the one
// before it was read. done ends a wait, and may be nil.
func replay(body []byte, interval time.Duration, done <-chan struct{}) io.ReadCloser {
	if interval <= 0 {
		return io.NopCloser(bytes.NewReader(body))
	}
	return &paced{events: sse.NewReader(bytes.NewReader(body)), interval: interval, done: done, closed: make(chan struct{})}
}

// paced is a stream that is replayed at a pace.
type paced struct {
	events   *sse.Reader
	interval time.Duration
	done     <-chan struct{}

	rest   []byte    // of the event at hand
	due    time.Time // when the next one is; zero is at once
	close  sync.Once
	closed chan struct{}
}

func (p *paced) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if len(p.rest) == 0 {
		e, err := p.events.Next()
		if err != nil {
			return 0, err
		}
		if err := p.wait(); err != nil {
			return 0, err
		}
		p.rest = e.Raw
		p.due = time.Now().Add(p.interval)
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// wait waits until the next event is due.
func (p *paced) wait() error {
	pause := time.Until(p.due)
	if p.due.IsZero() {
		pause = 0
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-p.closed:
		return http.ErrBodyReadAfterClose
	case <-p.done:
		return context.Canceled
	case <-timer.C:
		return nil
	}
}

func (p *paced) Close() error {
	p.close.Do(func() { close(p.closed) })
	return nil
}
