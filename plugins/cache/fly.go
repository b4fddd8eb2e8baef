package cache

import (
	"context"
	"errors"
	"net/http"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/shelf"
)

// A fate is what is left of a flight when it is over.
type fate uint8

const (
	nothing fate = iota
	handed       // its answer is the leader's, which ends the request too
	stored       // an answer that is to be spread
)

// errElsewhere ends a flight that nobody waits for, since another replica asks
// for the same.
var errElsewhere = errors.New("another replica is asking for the answer")

// run is the flight, from its beginning to its end.
func (f *flight) run() {
	f.metrics.flights.Inc()
	defer f.metrics.flights.Dec()
	lease, left := f.fly()
	f.over.open()
	if left == stored {
		f.spread()
	}
	lease.Release(f.ended)
	if left != handed {
		f.stop()
	}
}

// fly has the answer found or asked for. It returns the lease on it, if this
// replica has that. What panics in it panics in the leader.
func (f *flight) fly() (lease *shelf.Lease, left fate) {
	defer func() {
		if v := recover(); v != nil {
			left = nothing
			f.land(outcome{crash: v})
		}
	}()
	if f.known() || f.neighbour() {
		return nil, nothing
	}
	lease, found := f.lease()
	if found {
		return lease, nothing
	}
	if err := context.Cause(f.req.Context()); err != nil {
		f.land(outcome{err: err})
		return lease, nothing
	}
	res, err := f.next.RoundTrip(f.req)
	if err != nil {
		f.metrics.refuse(whyError)
		f.land(outcome{err: err})
		return lease, nothing
	}
	if why := f.unfit(res); why != "" {
		f.metrics.refuse(why)
		return lease, f.private(res)
	}
	return lease, f.record(res)
}

// land opens everything: there is no more to come.
func (f *flight) land(out outcome) {
	f.mu.Lock()
	f.out, f.sealed, f.settled = out, true, true
	f.mu.Unlock()
	f.opened()
}

// opened takes the flight off the board, and lets everybody look.
func (f *flight) opened() {
	f.board.drop(f)
	for _, l := range [...]*latch{f.landed, f.ready, f.done} {
		l.open()
	}
}

// private lands with an answer that is for the leader alone.
func (f *flight) private(res *http.Response) fate {
	f.mu.Lock()
	_, there := f.members[f.leader]
	f.out, f.sealed, f.settled = outcome{res: res, private: there}, true, true
	f.mu.Unlock()
	f.opened()
	if !there {
		_ = res.Body.Close()
		return nothing
	}
	return handed
}

// known reports whether the answer has come to the memory of this replica since
// it was looked for, by another flight.
func (f *flight) known() bool {
	if f.board == nil {
		return false
	}
	return f.hands(f.find(&f.q, f.shelf.Memory(f.q.place), shelf.Memory))
}

// hands lands with what was found, if it can be given.
func (f *flight) hands(found finding) bool {
	if found.state != fresh {
		return false
	}
	f.land(outcome{kept: found.answer, tier: found.tier, score: found.score})
	return true
}

// neighbour lands with the answer to a question that means the same, if there is
// one.
func (f *flight) neighbour() bool {
	if !f.q.semantic || f.q.anew || f.lone {
		return false
	}
	ctx := f.req.Context()
	f.meaning = f.semantic.look(ctx, f.next, f.req, &f.q)
	if f.meaning == nil || !f.meaning.found {
		return false
	}
	near := f.q
	near.place = f.meaning.place
	found := f.look(ctx, &near)
	found.score = f.meaning.score
	return f.hands(found)
}

// lease makes sure that no other replica asks for the same, or waits for what
// that gets: found reports that it has come.
func (f *flight) lease() (lease *shelf.Lease, found bool) {
	if f.board == nil || f.settings.Coalesce.Wait == 0 || !f.shelf.Shares() {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(f.req.Context(), f.settings.Coalesce.Wait)
	defer cancel()
	for {
		lease, standing, a := f.shelf.Lease(ctx, f.q.place, f.settings.Coalesce.Lease)
		if standing != shelf.Held {
			return lease, f.hands(f.find(&f.q, a, shelf.Redis))
		}
		if f.lone {
			f.land(outcome{err: errElsewhere})
			return nil, true
		}
		a, _ = f.shelf.Await(ctx, f.q.place, func(a *answer.Answer) bool { return f.find(&f.q, a, shelf.Redis).state == fresh })
		switch {
		case f.hands(f.find(&f.q, a, shelf.Redis)):
			f.metrics.waited[waitShared].Inc()
			return nil, true
		case ctx.Err() != nil:
			f.metrics.waited[waitAlone].Inc()
			return nil, false
		}
	}
}
