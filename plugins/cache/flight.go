package cache

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/shelf"
	"github.com/holysheep/relay/internal/tape"
	"github.com/holysheep/relay/plugins"
)

// A flight is one asking for an answer, on its own: it outlives the request that
// began it for as long as others wait for its answer. Who waits is a member. The
// first one, its leader, gets whatever comes. The others get an answer that may
// be shared, or learn that there is none and ask for themselves:
//
//	leader ─┐                  ┌─ upstream ─▶ tape ─▶ store
//	member ─┼─ flight (run) ───┘               ├─▶ leader, as it comes
//	member ─┘                                  ├─▶ members of a stream, from its first content on
//	                                           └─▶ other members, once it is whole
//
// One member at a time pays: its call has adopted that of the flight. Who leaves
// hands that on to another one; the last one to leave ends the flight and waits
// until it is over, so that what was used until then is known.
type flight struct {
	*link
	next  http.RoundTripper
	q     question
	since time.Time          // when it began
	req   *http.Request      // its own
	call  *plugins.Call      // of req
	stop  context.CancelFunc // ends req
	board *board             // nil if nobody else can join
	lone  bool               // it goes on without members

	meaning *meaning // of the question, nil if it is not compared by it

	landed *latch // there is something for the leader
	ready  *latch // a stream has begun that members follow, or none will
	done   *latch // the answer is whole, or will not be had whole
	over   *latch // nothing goes on but what nobody waits for

	mu      sync.Mutex
	leader  *member
	payer   *member
	members map[*member]struct{}
	sealed  bool       // nobody can join any more
	settled bool       // who pays stays
	closing bool       // the stream has said that it is whole, and has still to end
	tape    *tape.Tape // nil before there is one
	out     outcome
}

// An outcome is what a flight has come to so far.
type outcome struct {
	res     *http.Response // that of the upstream
	private bool           // the leader alone may have it, and has not taken it
	err     error          // there is no res
	crash   any            // with which run has panicked

	kept  *answer.Answer // the whole answer, which all may have
	tier  shelf.Tier     // where kept was found
	score float64        // of kept, if it is the answer to another question
	used  plugins.Usage  // by the answer

	kind, language string      // of an answer that is recorded
	trailer        http.Header // that has come with its end
}

// A member is a request that waits for a flight.
type member struct {
	call   *plugins.Call
	form   answer.Form
	reader *tape.Reader // once it follows
	leaves bool
	left   *latch // it has left
}

func newMember(call *plugins.Call, form answer.Form) *member {
	return &member{call: call, form: form, left: newLatch()}
}

// launch returns a flight for req that has not begun. It returns
// [plugins.ErrBodyGone] if req cannot be sent without its client.
func (t *transport) launch(req *http.Request, q *question) (*flight, error) {
	out, stop, err := plugins.Detach(req)
	if err != nil {
		return nil, err
	}
	return &flight{
		link: t.link, next: t.next, q: *q, since: t.now(), req: out, call: plugins.CallOf(out.Context()), stop: stop,
		landed: newLatch(), ready: newLatch(), done: newLatch(), over: newLatch(),
		members: map[*member]struct{}{},
	}, nil
}

// begin makes m the leader. It may be nil.
func (f *flight) begin(b *board, m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.board, f.leader = b, m
	if m != nil {
		f.members[m] = struct{}{}
		f.pay(m)
	}
}

// join makes m a member, if that can still be.
func (f *flight) join(m *member) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sealed || f.ready.isOpen() && f.follows(m) && !f.admit(m) {
		return false
	}
	f.members[m] = struct{}{}
	if f.payer == nil && !f.lone {
		f.pay(m)
	} else {
		m.call.Follow(f.call)
	}
	return true
}

// pay makes m the one that pays.
func (f *flight) pay(m *member) {
	f.payer = m
	m.call.Adopt(f.call)
}

// follows reports whether m can have the stream as it comes.
func (f *flight) follows(m *member) bool { return f.q.form.Streamed() && m.form == f.q.form }

// admit gives m the recording from its beginning, if all of it is there.
func (f *flight) admit(m *member) (ok bool) {
	if m.reader == nil && f.tape != nil {
		m.reader, ok = f.tape.Reader()
	}
	return ok
}

// leave ends the part that m has in the flight, once; whoever calls it again
// waits until that is done. What m was to pay another member pays. The last one
// ends what goes on, and waits for it.
func (f *flight) leave(m *member) {
	f.mu.Lock()
	if _, in := f.members[m]; !in {
		leaves := m.leaves
		f.mu.Unlock()
		if leaves {
			<-m.left.c
		}
		return
	}
	m.leaves = true
	defer m.left.open()
	delete(f.members, m)
	f.hand(m)
	last := f.empty(!f.closing)
	closing, unclaimed := f.closing, f.unclaimed(m)
	f.mu.Unlock()
	if last && closing {
		last = f.patience()
	}
	if m.reader != nil {
		_ = m.reader.Close()
	}
	if unclaimed != nil {
		_ = unclaimed.Body.Close()
	}
	if last {
		f.board.drop(f)
		f.stop()
		<-f.over.c
	}
}

// patient is how long a stream has to end once it has said that it is whole.
const patient = time.Second

// patience waits for the end of a stream that is whole: clients leave as soon as
// they have read that, a moment before the connection of the upstream ends. It
// reports whether nobody has come meanwhile.
func (f *flight) patience() (empty bool) {
	timer := time.NewTimer(patient)
	defer timer.Stop()
	select {
	case <-f.over.c:
	case <-timer.C:
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.empty(true)
}

// empty reports whether nobody waits for the flight any more, which ends it. It
// lets nobody join then, if so told. f.mu is held.
func (f *flight) empty(seal bool) bool {
	empty := len(f.members) == 0 && !f.lone
	f.sealed = f.sealed || empty && seal
	return empty
}

// hand has another member pay in the place of m, if m was to and there is one.
func (f *flight) hand(m *member) {
	if f.payer != m {
		m.call.Follow(nil)
		return
	}
	if f.settled {
		return
	}
	for heir := range f.members {
		m.call.Disown()
		f.pay(heir)
		return
	}
}

// unclaimed returns the answer that is for the leader alone, if m is the leader
// and has not taken it.
func (f *flight) unclaimed(m *member) *http.Response {
	if m != f.leader || !f.out.private {
		return nil
	}
	f.out.private = false
	return f.out.res
}

// claim returns what the leader gets.
func (f *flight) claim() outcome {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.out
	f.out.private = false
	return out
}

// share returns what another member gets, and whether it follows.
func (f *flight) share(m *member) (out outcome, follows bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out, m.reader != nil
}

// pays reports whether m pays for what was asked.
func (f *flight) pays(m *member) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.payer == m
}
