package cache

import (
	"io"
	"net/http"
	"sync"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/sse"
	"github.com/holysheep/relay/internal/tape"
)

// leastAhead is how many bytes a stream that is too long to be stored is always
// ahead of the slowest that read it before that is cut off: twice max_value, so
// that who has just joined is not, but not less than this.
const leastAhead = 64 << 10

// A recording is an answer on its way from the upstream to those who wait for
// it.
type recording struct {
	*flight
	res    *http.Response
	tape   *tape.Tape
	answer answer.Answer // what is known of it from the header
	last   []byte        // that is still to be handed out
	begun  bool          // others follow it, or none will
	lost   bool          // it is not kept whole any more
}

// record hands out the answer as it comes, and stores it once it is whole.
func (f *flight) record(res *http.Response) (left fate) {
	most := int(f.settings.MaxValue)
	r := &recording{flight: f, res: res, tape: tape.New(tape.Options{Keep: most, Ahead: max(2*most, leastAhead), Room: f.room})}
	said := f.q.directives(res.Header)
	r.answer = answer.Answer{Key: f.q.place.Key, Form: f.q.form, Since: f.now().Add(-ageOf(res.Header)), Most: said.lifetime()}
	r.answer.Type, r.answer.Language = headerOf(res.Header)
	defer r.tape.Release()
	defer func() {
		if v := recover(); v != nil {
			_ = res.Body.Close()
			left = r.end(&crashed{v}, whyIncomplete)
		}
	}()
	r.open()
	var why string
	var err error
	if f.q.form.Streamed() {
		why, err = r.events()
	} else {
		why, err = r.bytes()
	}
	_ = res.Body.Close() // so that what it has used is known
	return r.end(err, why)
}

// open hands the answer to the leader.
func (r *recording) open() {
	shown := *r.res // its trailers change as it is read, and the leader may change the rest
	shown.Trailer, shown.Header = nil, r.res.Header.Clone()
	r.mu.Lock()
	r.flight.tape, r.out.res = r.tape, &shown
	r.out.kind, r.out.language = r.answer.Type, r.answer.Language
	if _, there := r.members[r.leader]; there {
		r.admit(r.leader)
	}
	r.mu.Unlock()
	r.landed.open()
}

// events records a stream. It returns why it is not whole, and what it has ended
// with if not well.
func (r *recording) events() (why string, err error) {
	events := sse.NewReader(r.res.Body)
	defer events.Release()
	c := newChecker(r.q.route, r.q.form)
	for {
		e, err := events.Next()
		if err == io.EOF { //nolint:errorlint // one inside of another error is a body that broke off
			return c.fault(), nil
		}
		if err != nil {
			return whyIncomplete, err
		}
		c.event(e)
		if c.fault() == "" {
			r.close()
		}
		if err := r.write(e.Raw); err != nil {
			return whyIncomplete, err
		}
		if !r.begun && c.begun() {
			r.follow(c.fault() != whyContent)
		}
	}
}

// pieces are buffers through which bodies pass.
var pieces = sync.Pool{ //nolint:gochecknoglobals // a pool is there to be shared
	New: func() any { return new([32 << 10]byte) },
}

// bytes records an answer in one piece. Of one whose length is known the last
// bytes are kept back until it is stored: whoever has them knows that it has
// ended, and may ask for the next, for which its place must be free.
func (r *recording) bytes() (why string, err error) {
	buf := pieces.Get().(*[32 << 10]byte) //nolint:forcetypeassert // there is nothing else in it
	defer pieces.Put(buf)
	for {
		n, err := r.res.Body.Read(buf[:])
		switch {
		case n > 0 && r.last == nil && r.tape.Len()+int64(n) == r.res.ContentLength:
			r.last = append(make([]byte, 0, n), buf[:n]...) // of no more than it takes
		case n > 0:
			if err := r.write(buf[:n]); err != nil {
				return whyIncomplete, err
			}
		}
		switch {
		case err == io.EOF:
			return "", nil
		case err != nil:
			return whyIncomplete, err
		}
	}
}

// write records a piece.
func (r *recording) write(p []byte) error {
	err := r.tape.Write(p)
	if !r.lost && !r.tape.Whole() {
		r.lost = true
		r.seal()
		r.done.open() // nobody will have it whole
	}
	return err
}

// close notes that the stream has only to end.
func (r *recording) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closing = true
}

// seal lets nobody join any more.
func (r *recording) seal() {
	r.mu.Lock()
	r.sealed = true
	r.mu.Unlock()
	r.board.drop(r.flight)
}

// follow lets the members that wait for a stream have it as it comes, unless it
// is none that may be shared.
func (r *recording) follow(shared bool) {
	r.begun = true
	if !shared {
		r.seal()
		r.done.open()
		r.ready.open()
		return
	}
	r.mu.Lock()
	for m := range r.members {
		if r.follows(m) {
			r.admit(m)
		}
	}
	r.ready.open()
	r.mu.Unlock()
}

// end ends the flight with all that has come. err is how that has ended, nil if
// well, and why says why it is not to be had whole.
func (r *recording) end(err error, why string) fate {
	whole := r.whole(&why)
	keep := why
	if keep == "" {
		keep = r.withheld()
	}
	if keep == "" {
		r.shelf.Put(r.q.place, whole)
		r.metrics.stored.Inc()
	} else {
		r.metrics.refuse(keep)
	}
	r.mu.Lock()
	r.out.kept, r.out.used, r.out.trailer = whole, r.call.Usage(), r.res.Trailer
	r.sealed, r.settled = true, true
	r.mu.Unlock()
	r.board.drop(r.flight)
	r.ready.open()
	r.done.open()
	if len(r.last) > 0 {
		_ = r.tape.Write(r.last) // an error is that nobody reads it
	}
	r.tape.End(err)
	if keep == "" {
		return stored
	}
	return nothing
}

// whole returns the answer, nil if it is not good to be had whole: why says then
// why not.
func (r *recording) whole(why *string) *answer.Answer {
	if *why == "" {
		*why = r.fault()
	}
	if *why != "" {
		return nil
	}
	a := r.answer
	if a.Body = r.all(); r.q.route.Inspected() && !a.Form.Streamed() && !good(a.Body) {
		*why = whyContent
		return nil
	}
	a.Model, a.Tokens = r.call.Answered(), tokensOf(r.call.Usage())
	return &a
}

// all returns the whole body. Its capacity is what it takes.
func (r *recording) all() []byte {
	switch begin := r.tape.Bytes(); {
	case r.last == nil:
		return begin
	case len(begin) == 0:
		return r.last
	default:
		return append(append(make([]byte, 0, len(begin)+len(r.last)), begin...), r.last...)
	}
}

// fault says what is wrong with how the answer has come.
func (r *recording) fault() string {
	n, came := r.res.ContentLength, r.tape.Len()+int64(len(r.last))
	switch {
	case r.lost && came > int64(r.settings.MaxValue):
		return whyTooLong
	case r.lost:
		return whyNoRoom
	case n >= 0 && n != came:
		return whyIncomplete
	case len(r.res.Trailer) > 0:
		return whyForbidden
	}
	return ""
}

// withheld says why an answer that those may have who wait for it is not stored
// for others.
func (r *recording) withheld() string {
	switch {
	case fellBack(r.call) && !r.q.storesFallback:
		return whyFallback
	case r.shelf.Purged(r.q.place.Name, r.since):
		return whyPurged
	}
	return ""
}

// A crashed is what was panicked with while an answer came.
type crashed struct{ v any }

func (c *crashed) Error() string { return "the answer's body panicked" }
