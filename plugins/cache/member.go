package cache

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/holysheep/relay/internal/tape"
)

// lead waits for the flight as its leader, and returns what that gets.
func (t *transport) lead(req *http.Request, f *flight, m *member) (*http.Response, error) {
	ctx := req.Context()
	select {
	case <-f.landed.c:
	case <-ctx.Done():
		t.note(m.call, miss)
		f.leave(m)
		return nil, context.Cause(ctx)
	}
	out := f.claim()
	m.call.AdoptHeaders(f.call)
	switch {
	case out.res != nil:
		t.note(m.call, miss)
		return f.handOver(req, m, out), nil
	case out.kept != nil:
		return t.hand(req, f, m, &f.q, out), nil
	}
	t.note(m.call, miss)
	f.leave(m)
	if out.crash != nil {
		panic(out.crash)
	}
	return nil, out.err
}

// handOver returns the upstream's answer as that of the leader.
func (f *flight) handOver(req *http.Request, m *member, out outcome) *http.Response {
	res := out.res
	res.Request = req
	if out.private {
		res.Body = &privateBody{ReadCloser: res.Body, leave: func() { f.stop(); f.leave(m) }, unwatch: context.AfterFunc(req.Context(), f.stop)}
		return res
	}
	f.attach(req, m, res)
	return res
}

// attach gives res the body that m reads of the recording.
func (f *flight) attach(req *http.Request, m *member, res *http.Response) {
	b := &sharedBody{flight: f, m: m, ctx: req.Context(), res: res}
	b.unwatch = context.AfterFunc(b.ctx, func() { f.leave(m) })
	res.Body = b
}

// hand returns the whole answer that a flight has come to, in the form that q
// asks for. It returns nil if it cannot have that.
func (t *transport) hand(req *http.Request, f *flight, m *member, q *question, out outcome) *http.Response {
	found := finding{
		answer: out.kept, body: bodyIn(out.kept, q), tier: out.tier, score: out.score,
		age: max(0, t.now().Sub(out.kept.Since)), paid: f.pays(m) && out.res != nil,
	}
	f.leave(m)
	if found.body == nil {
		return nil
	}
	as := coalesced
	if out.score != 0 {
		as = hit
	}
	return t.give(req, m.call, q, found, as)
}

// follow waits for the flight as any other member. ok is false if that has
// nothing that m may have.
func (t *transport) follow(req *http.Request, f *flight, m *member, q *question) (res *http.Response, ok bool, err error) {
	ctx, wait := req.Context(), f.done
	if f.follows(m) {
		wait = f.ready
	}
	select {
	case <-wait.c:
	case <-ctx.Done():
		t.note(m.call, coalesced)
		f.leave(m)
		return nil, true, context.Cause(ctx)
	}
	out, follows := f.share(m)
	switch {
	case follows:
		t.note(m.call, coalesced)
		res = empty(req, out.kind, out.language)
		f.attach(req, m, res)
		return res, true, nil
	case out.kept != nil:
		if res = t.hand(req, f, m, q, out); res != nil {
			return res, true, nil
		}
	}
	f.leave(m)
	return nil, false, nil
}

// A privateBody is that of an answer that is for the leader alone.
type privateBody struct {
	io.ReadCloser
	leave   func()
	unwatch func() bool
}

func (b *privateBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end()
	}
	return n, err
}

func (b *privateBody) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	return err
}

func (b *privateBody) end() {
	b.unwatch()
	b.leave()
}

// A sharedBody is what a member reads of a recording.
type sharedBody struct {
	*flight
	m       *member
	ctx     context.Context //nolint:containedctx // of the member, who may be gone
	res     *http.Response  // that has this body
	unwatch func() bool
}

func (b *sharedBody) Read(p []byte) (int, error) {
	n, err := b.m.reader.Read(p)
	if err != nil {
		err = b.end(err)
	}
	return n, err
}

// end ends the reading with err, and returns what the reader is told.
func (b *sharedBody) end(err error) error {
	b.unwatch()
	if err == io.EOF { //nolint:errorlint // as readers return it
		b.finish()
	}
	b.leave(b.m)
	if c, ok := errors.AsType[*crashed](err); ok && b.m == b.leader {
		panic(c.v)
	}
	switch {
	case b.ctx.Err() != nil && err != io.EOF: //nolint:errorlint // as above
		return context.Cause(b.ctx)
	case errors.Is(err, tape.ErrBehind):
		return ErrBehind.Because(err)
	}
	return err
}

// finish notes what the answer has brought with its end.
func (b *sharedBody) finish() {
	out, _ := b.share(b.m)
	if b.m == b.leader {
		b.res.Trailer = out.trailer
	}
	if !b.pays(b.m) {
		b.save(b.m.call, b.call.Answered(), out.used)
	}
}

func (b *sharedBody) Close() error {
	b.unwatch()
	b.leave(b.m)
	return nil
}
