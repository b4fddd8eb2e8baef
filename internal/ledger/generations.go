package ledger

import (
	"iter"
	"time"
)

// minLife is how long a generation lasts at least, in microseconds, so that
// fast rates do not make new maps all the time.
const minLife = int64(10*time.Second) / int64(time.Microsecond)

// generations keep a value per subject for as long as it means something, in
// two maps. What is written goes to the young one. Once everything in the old
// one has lost its meaning that is dropped whole, and the young one becomes the
// old one. So nothing is swept entry by entry, and the memory is that of the
// subjects seen in the time of two generations.
type generations[V any] struct {
	young, old           map[Subject]V
	youngUntil, oldUntil int64 // from when on nothing in it means anything
	turned               int64 // when young began
}

func (g *generations[V]) get(s Subject) (v V, ok bool) {
	if v, ok = g.young[s]; ok || len(g.old) == 0 {
		return v, ok
	}
	v, ok = g.old[s]
	return v, ok
}

// put sets a value that means something until the instant until. A turn goes
// before it.
func (g *generations[V]) put(s Subject, v V, until int64) {
	if g.young == nil {
		g.young = map[Subject]V{}
	}
	g.young[s] = v
	g.youngUntil = max(g.youngUntil, until)
}

func (g *generations[V]) drop(s Subject) {
	delete(g.young, s)
	delete(g.old, s)
}

// turn drops what means nothing any more, if it is time to.
func (g *generations[V]) turn(now int64) {
	if back := g.turned - now; back > 0 {
		// The wall clock was set back: what is kept is kept no longer for it.
		g.turned, g.youngUntil, g.oldUntil = now, g.youngUntil-back, g.oldUntil-back
	}
	if now-g.turned < minLife || now < g.oldUntil {
		return
	}
	g.old, g.oldUntil = g.young, g.youngUntil
	g.young, g.youngUntil, g.turned = nil, 0, now
	if now >= g.oldUntil {
		g.old = nil
	}
}

// all yields every subject once.
func (g *generations[V]) all() iter.Seq2[Subject, V] {
	return func(yield func(Subject, V) bool) {
		for s, v := range g.young {
			if !yield(s, v) {
				return
			}
		}
		for s, v := range g.old {
			if _, newer := g.young[s]; !newer && !yield(s, v) {
				return
			}
		}
	}
}
