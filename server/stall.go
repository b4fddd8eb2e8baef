package server

import (
	"net/http"
	"sync"
	"time"
)

// stallLimit is how long a client may take nothing of its answer before the
// answer is broken off: it holds a slot, and the upstream's connection, as long
// as it is there. A stream that has nothing to send is not bounded by it.
const stallLimit = 2 * time.Minute

// A stall breaks off a write that takes too long. The zero stall is ready to
// use. It belongs to one request: begin and end surround each write.
type stall struct {
	mu     sync.Mutex
	timer  *time.Timer
	writes http.ResponseWriter // the one that is being written to, or nil
}

// begin starts the clock of one write to w.
func (s *stall) begin(w http.ResponseWriter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = w
	if s.timer == nil {
		s.timer = time.AfterFunc(stallLimit, s.cut)
		return
	}
	s.timer.Reset(stallLimit)
}

// end stops it.
func (s *stall) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = nil
	s.timer.Stop()
}

// cut ends the write that is going on. Between writes the response may not be
// touched: it may be over.
func (s *stall) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes != nil {
		// A writer without deadlines has no client that could stall.
		_ = http.NewResponseController(s.writes).SetWriteDeadline(time.Now())
	}
}
