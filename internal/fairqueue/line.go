package fairqueue

import (
	"slices"
	"time"
)

// A waiter is one who waits. The queue's lock guards what it holds.
type waiter[L comparable] struct {
	client string
	came   time.Time
	line   *line[L]
	out    bool          // it has lost its place
	call   chan struct{} // holds one call: to have the turn, to try again, or to leave
}

// wake has the waiter look at how it stands. A call is not lost while it tries:
// it will look again.
func (w *waiter[L]) wake() {
	select {
	case w.call <- struct{}{}:
	default: // it is called already
	}
}

// A line is the waiters for the same thing: by client, in the order of the
// clients' turns. It is never empty.
type line[L comparable] struct {
	name  L
	lanes [][]*waiter[L]
}

// head returns who has the turn.
func (l *line[L]) head() *waiter[L] { return l.lanes[0][0] }

// lane returns the place of the client's lane, -1 if it has none.
func (l *line[L]) lane(client string) int {
	return slices.IndexFunc(l.lanes, func(lane []*waiter[L]) bool { return lane[0].client == client })
}

// add adds a waiter behind those of its client, or a lane of its own as the
// last one. It returns how many have a turn before it.
func (l *line[L]) add(w *waiter[L]) (before int) {
	own := l.lane(w.client)
	if own < 0 {
		own = len(l.lanes)
		l.lanes = append(l.lanes, nil)
	}
	deep := len(l.lanes[own])
	l.lanes[own] = append(l.lanes[own], w)
	for i, lane := range l.lanes {
		switch {
		case i == own:
			before += deep
		case i < own:
			before += min(len(lane), deep+1)
		default:
			before += min(len(lane), deep)
		}
	}
	return before
}

// remove takes a waiter out, and reports whether it had the turn. If it was
// served, its client's next turn comes after those of all others.
func (l *line[L]) remove(w *waiter[L], served bool) (had bool) {
	i := l.lane(w.client)
	had = l.head() == w
	rest := slices.DeleteFunc(l.lanes[i], func(other *waiter[L]) bool { return other == w })
	switch l.lanes[i] = rest; {
	case len(rest) == 0:
		l.lanes = slices.Delete(l.lanes, i, i+1)
	case had && served:
		l.lanes = append(slices.Delete(l.lanes, 0, 1), rest)
	}
	return had
}

// enter gives the client a place in the line. Where the queue is full, the
// client with the most waiters gives up its last one, if it has at least two
// more than the one that comes: so no client keeps others out, and nobody is
// put out in turn.
func (q *Queue[L]) enter(name L, client string, now time.Time) (w *waiter[L], before int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if int(q.waiting.Load()) >= q.size && !q.displace(len(q.clients[client])) {
		return nil, 0, ErrFull
	}
	l := q.lines[name]
	if l == nil {
		l = &line[L]{name: name}
		q.lines[name] = l
	}
	w = &waiter[L]{client: client, came: now, line: l, call: make(chan struct{}, 1)}
	q.clients[client] = append(q.clients[client], w)
	q.waiting.Add(1)
	return w, l.add(w), nil
}

// displace puts out the last waiter of the client that has the most, if that are
// at least two more than own. q is locked.
func (q *Queue[L]) displace(own int) bool {
	var most []*waiter[L]
	for _, all := range q.clients {
		if len(all) > len(most) {
			most = all
		}
	}
	if q.size <= 0 || len(most) < own+2 {
		return false
	}
	w := most[len(most)-1]
	w.out = true
	q.remove(w, false)
	w.wake()
	return true
}

// turn reports whether w has the turn in its line, or has lost its place.
func (q *Queue[L]) turn(w *waiter[L]) (has, out bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.out {
		return false, true
	}
	return w.line.head() == w, false
}

// leave takes w out of the queue, if it is not out yet.
func (q *Queue[L]) leave(w *waiter[L], served bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !w.out {
		q.remove(w, served)
	}
}

// remove takes w out of its line and of those of its client, and calls who has
// the turn after it. q is locked.
func (q *Queue[L]) remove(w *waiter[L], served bool) {
	rest := slices.DeleteFunc(q.clients[w.client], func(other *waiter[L]) bool { return other == w })
	if q.clients[w.client] = rest; len(rest) == 0 {
		delete(q.clients, w.client)
	}
	q.waiting.Add(-1)
	switch l := w.line; {
	case l.remove(w, served) && len(l.lanes) > 0:
		l.head().wake()
	case len(l.lanes) == 0:
		delete(q.lines, l.name)
	}
}
