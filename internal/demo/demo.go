package demo

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options are how a demo upstream behaves to everybody.
type Options struct {
	// Key is the API key that a request must bring, as "Authorization: Bearer
	// <key>" or where the API of its path has it; without it the answer is 401.
	// "" accepts any request.
	Key string

	// Models is the list of models; nil is a fixed one. Endpoints answer for any
	// other model as well.
	Models []string

	// Now is the clock of "created" fields and of the books; nil is [time.Now].
	Now func() time.Time

	// Pace is the time between two events of a stream where X-Demo-Pace does
	// not say; 0 is none. A human who looks on wants some 30ms.
	Pace time.Duration

	// KeepRecords is how many of the latest records the books keep; 0 is
	// 10,000.
	KeepRecords int
}

// A Server is a demo upstream. It is an [http.Handler] and listens nowhere by
// itself. Make one with [New].
type Server struct {
	options Options
	books   *Books

	script atomic.Pointer[func(*http.Request) http.Header]

	mu     sync.Mutex
	failed map[string]int // how often X-Demo-Fail has failed a name; never forgotten
}

// New returns a demo upstream.
func New(options Options) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.KeepRecords <= 0 {
		options.KeepRecords = 10_000
	}
	if len(options.Models) == 0 {
		options.Models = strings.Fields(known)
	}
	return &Server{
		options: options,
		books:   newBooks(options.KeepRecords),
		failed:  map[string]int{},
	}
}

// Books returns what the server has served and is serving.
func (s *Server) Books() *Books { return s.books }

// Script has f asked for the X-Demo headers of every request from now on, for
// requests that a test cannot touch, such as those of an SDK. What f returns
// stands in place of the request's own headers of the same name. f must not
// read the body and must be safe for concurrent use; nil ends the script.
func (s *Server) Script(f func(*http.Request) http.Header) {
	s.script.Store(&f)
}

// ServeHTTP implements [http.Handler]. An answer that does not reach its end
// breaks the connection off, by a panic with [http.ErrAbortHandler]. One that
// stalls or waits lasts until its client leaves or the context of the
// connection ends, so close the clients before an [http.Server].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{server: s, w: w, r: r, rec: s.books.open(r, s.options.Now()), state: Aborted, dialect: dialectOf(r)}
	defer func() { s.books.close(x.rec, x.state, s.options.Now()) }()
	x.state = x.serve()
	if x.state != Done {
		panic(http.ErrAbortHandler)
	}
}

// headers returns the headers that the plan of r is made from.
func (s *Server) headers(r *http.Request) http.Header {
	script := s.script.Load()
	if script == nil || *script == nil {
		return r.Header
	}
	h := r.Header.Clone()
	for name, values := range (*script)(r) {
		h[http.CanonicalHeaderKey(name)] = values
	}
	return h
}

// fails counts a request against f, and reports whether it has to fail.
func (s *Server) fails(f failing) bool {
	if f.name == "" {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed[f.name] >= f.times {
		return false
	}
	s.failed[f.name]++
	return true
}
