package cache

import (
	"net/http"

	"github.com/holysheep/relay/plugins"
)

// A transport answers from the store what it can, and records the rest.
type transport struct {
	*link
	next http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	call := plugins.CallOf(req.Context())
	if res, handled, err := t.own(req, call); handled {
		closeBody(req)
		return res, err
	}
	q, why := t.rules.question(req, call)
	if why == "" {
		call.SetHeader("X-Cache-Key", q.place.Name.Short())
		return t.obtain(req, call, &q)
	}
	t.metrics.bypassed[why].Inc()
	t.note(call, bypass)
	if q.stored {
		closeBody(req)
		return nil, ErrNotCached
	}
	return t.next.RoundTrip(req)
}

// obtain answers q from the store, or asks for its answer.
func (t *transport) obtain(req *http.Request, call *plugins.Call, q *question) (*http.Response, error) {
	f := t.look(req.Context(), q)
	switch {
	case f.state == fresh:
		closeBody(req)
		return t.give(req, call, q, f, hit), nil
	case f.state == spare:
		if !q.stored {
			t.refresh(req, q)
		}
		closeBody(req)
		return t.give(req, call, q, f, stale), nil
	case q.stored:
		closeBody(req)
		t.note(call, miss)
		return nil, ErrNotCached
	}
	res, err := t.ask(req, call, q)
	if f.state == spent && failed(res, err) && req.Context().Err() == nil {
		if res != nil {
			_ = res.Body.Close()
		}
		return t.give(req, call, q, f, stale), nil
	}
	return res, err
}

// ask has the answer to q asked for, together with others if it may.
func (t *transport) ask(req *http.Request, call *plugins.Call, q *question) (*http.Response, error) {
	var b *board
	if q.coalesce && !q.anew {
		b = &t.board
	}
	for {
		m := newMember(call, q.form)
		f, own, err := t.enter(req, q, m, b)
		switch {
		case err == plugins.ErrBodyGone: //nolint:errorlint // as Detach returns it
			t.note(call, miss)
			return t.next.RoundTrip(req)
		case err != nil:
			t.note(call, miss)
			closeBody(req)
			return nil, err
		case own:
			closeBody(req)
			t.work.Go(f.run)
			return t.lead(req, f, m)
		}
		if res, ok, err := t.follow(req, f, m, q); ok {
			closeBody(req)
			return res, err
		}
		b = nil // what was not to be shared is nobody else's: q is asked for by itself
	}
}

// enter has m join a flight for q on the board, or lead a new one of its own.
func (t *transport) enter(req *http.Request, q *question, m *member, b *board) (f *flight, own bool, err error) {
	if f := b.join(q.place.Key, m); f != nil {
		return f, false, nil
	}
	if f, err = t.launch(req, q); err != nil {
		return nil, false, err
	}
	if a := plugins.AttemptOf(req.Context()); a != nil { // whoever asks again outside wants to know of it
		f.req = f.req.WithContext(plugins.WithAttempt(f.req.Context(), a))
	}
	for _, a := range m.call.Trail.All() { // which were in vain, so that others are asked now
		f.call.Trail.Begin(a)
	}
	other := b.add(f, m)
	if other != f {
		f.stop()
	}
	return other, other == f, nil
}

// closeBody closes the body of a request that goes no further.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
