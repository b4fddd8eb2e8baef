// Package nearest finds of many vectors the one with the highest cosine
// similarity to another. It is exact: it looks at every vector of a group, or
// proves that one cannot be near enough.
//
// Vectors are kept in groups that never meet, and in memory alone. It does not
// know what they stand for.
package nearest

import (
	"container/list"
	"errors"
	"math"
	"slices"
	"sync"
)

// ErrVector says that a vector has no direction: it is empty, zero, or holds what
// is no number.
var ErrVector = errors.New("a vector without a direction")

// A Group says which vectors may meet.
type Group = [32]byte

// An Index holds vectors, each with what it stands for. Make one with [New]. It
// is safe for concurrent use; searches do not wait for one another.
type Index[V comparable] struct {
	mu     sync.RWMutex
	max    int
	groups map[Group]*group[V]
	count  int

	used  sync.Mutex // guards order, which searches change too
	order *list.List // of *entry[V], the latest used first
}

// An entry is a vector's place.
type entry[V comparable] struct {
	value V
	group Group
	at    int
	node  *list.Element
}

// New returns an index of at most so many vectors.
func New[V comparable](most int) *Index[V] {
	return &Index[V]{max: most, groups: map[Group]*group[V]{}, order: list.New()}
}

// Resize changes how many vectors there may be. Those that were not used for
// longest leave.
func (x *Index[V]) Resize(most int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.max = most
	x.evict()
}

// Len returns how many vectors there are.
func (x *Index[V]) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.count
}

// Add adds a vector to a group, in the place of the one that stood for the same
// there. It returns [ErrVector] for one without a direction. One that has another
// length than those of its group takes their place: another model has made it.
func (x *Index[V]) Add(g Group, v V, vector []float32) error {
	unit, err := unitOf(vector)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	in := x.groups[g]
	if in != nil && in.dims != len(unit) {
		for len(in.entries) > 0 {
			x.remove(in.entries[len(in.entries)-1])
		}
		in = nil
	}
	if in == nil {
		in = newGroup[V](len(unit))
		x.groups[g] = in
	}
	for _, e := range in.entries {
		if e.value == v {
			x.remove(e)
			x.groups[g] = in
			break
		}
	}
	e := &entry[V]{value: v, group: g, at: len(in.entries)}
	e.node = x.order.PushFront(e)
	in.add(e, unit)
	x.count++
	x.evict()
	return nil
}

// Find returns what stands nearest to vector in its group, if its similarity is
// threshold at least. Of several as near it is the one that was added last.
func (x *Index[V]) Find(g Group, vector []float32, threshold float64) (v V, score float64, ok bool) {
	unit, err := unitOf(vector)
	if err != nil {
		return v, 0, false
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	in := x.groups[g]
	if in == nil || in.dims != len(unit) {
		return v, 0, false
	}
	e, score := in.find(unit, threshold)
	if e == nil {
		return v, 0, false
	}
	x.used.Lock()
	x.order.MoveToFront(e.node)
	x.used.Unlock()
	return e.value, score, true
}

// Remove removes all that fits, and returns how many those were.
func (x *Index[V]) Remove(fits func(V) bool) (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, in := range x.groups {
		for _, e := range slices.Backward(in.entries) { // what takes its place was looked at
			if fits(e.value) {
				x.remove(e)
				n++
			}
		}
	}
	return n
}

// evict removes what was not used for longest, while there is too much.
func (x *Index[V]) evict() {
	for x.count > max(x.max, 0) {
		e, _ := x.order.Back().Value.(*entry[V])
		x.remove(e)
	}
}

// remove removes an entry.
func (x *Index[V]) remove(e *entry[V]) {
	x.order.Remove(e.node)
	in := x.groups[e.group]
	in.remove(e)
	if x.count--; len(in.entries) == 0 {
		delete(x.groups, e.group)
	}
}

// unitOf returns the vector of length 1 in the same direction.
func unitOf(vector []float32) ([]float32, error) {
	sum := 0.0
	for _, f := range vector {
		sum += float64(f) * float64(f)
	}
	if sum == 0 || math.IsNaN(sum) || math.IsInf(sum, 0) {
		return nil, ErrVector
	}
	length := math.Sqrt(sum)
	unit := make([]float32, len(vector))
	for i, f := range vector {
		unit[i] = float32(float64(f) / length)
	}
	return unit, nil
}
