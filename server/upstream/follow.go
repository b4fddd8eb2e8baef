package upstream

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/holysheep/relay/internal/scrub"
)

// followed is the body of an answer until its end.
type followed struct {
	body    io.ReadCloser
	asking  *asking
	req     *http.Request
	verdict verdict // on the answer's beginning

	once   sync.Once
	seen   atomic.Bool // something of it was read
	closed atomic.Bool // by whoever reads it
	late   atomic.Bool // the time for the answer ended while more was waited for
}

// Read implements [io.Reader].
func (f *followed) Read(p []byte) (int, error) {
	ctx := f.req.Context()
	inTime := ctx.Err() == nil && f.asking.vigil.runs()
	n, err := f.body.Read(p)
	if n > 0 && !f.seen.Load() {
		f.seen.Store(true)
	}
	if err != nil {
		f.late.Store(inTime && (overdue(ctx) || errors.Is(err, ErrAttempt)))
		f.finish(err)
	}
	return n, err
}

// Close implements [io.Closer].
func (f *followed) Close() error {
	f.closed.Store(true) // first, since it interrupts a Read
	err := f.body.Close()
	f.finish(nil)
	return err
}

// finish hears what ended the body, nil if nobody wanted the rest.
func (f *followed) finish(err error) { f.once.Do(func() { f.end(err) }) }

// end tells of an answer that began well how it ended. One that was given up
// was good as far as it went, if it went anywhere.
func (f *followed) end(err error) {
	a, s := f.asking, f.asking.member.state
	defer s.leave()
	if f.verdict != good {
		return
	}
	ended := f.req.Context().Err() != nil || errors.Is(err, ErrAttempt)
	gone := err == nil || f.closed.Load() || ended && !f.late.Load() // or its reader took the time
	switch {
	case err == io.EOF || gone && f.seen.Load(): //nolint:errorlint // one inside of another error is a body that broke off
		s.breaker.Success(a.now(), a.ticket)
	case !gone:
		a.report(f.req.Context(), bad, 0, "the answer broke off: "+scrub.Error(err))
	}
}
