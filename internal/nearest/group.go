package nearest

import (
	"math"
	"runtime"
	"sync"
)

// slack is more than the rounding of 32-bit sums can be off: what is nearer than
// that to the best so far is looked at exactly.
const slack = 1e-4

// A group is vectors of one length that may meet. A vector is kept in two parts:
// of most the first one proves that they are not near enough, since what the rest
// can add is at most the product of the rests' lengths (Cauchy and Schwarz).
type group[V comparable] struct {
	dims, head int
	entries    []*entry[V]
	heads      []float32 // head numbers of each
	tails      []float32 // the others
	rests      []float32 // how long the tail of each is
}

func newGroup[V comparable](dims int) *group[V] {
	head := dims
	if dims >= 64 { // below that it is not worth it
		head = max(32, dims/8) &^ 7
	}
	return &group[V]{dims: dims, head: head}
}

func (g *group[V]) add(e *entry[V], unit []float32) {
	g.entries = append(g.entries, e)
	g.heads = append(g.heads, unit[:g.head]...)
	g.tails = append(g.tails, unit[g.head:]...)
	g.rests = append(g.rests, norm(unit[g.head:]))
}

// remove puts the last vector in the place of e's.
func (g *group[V]) remove(e *entry[V]) {
	last, tail := len(g.entries)-1, g.dims-g.head
	copy(g.heads[e.at*g.head:(e.at+1)*g.head], g.heads[last*g.head:])
	copy(g.tails[e.at*tail:(e.at+1)*tail], g.tails[last*tail:])
	g.rests[e.at] = g.rests[last]
	g.entries[e.at] = g.entries[last]
	g.entries[e.at].at = e.at
	g.entries[last] = nil
	g.entries, g.heads, g.tails, g.rests = g.entries[:last], g.heads[:last*g.head], g.tails[:last*tail], g.rests[:last]
}

// parallel is from how many numbers on a search is worth several processors.
const parallel = 1 << 20

// A finding is a vector that may be the nearest.
type finding struct {
	at    int
	score float64
}

// find returns the nearest, nil if its score is below the threshold.
func (g *group[V]) find(unit []float32, threshold float64) (*entry[V], float64) {
	n := len(g.entries)
	parts := 1
	if n*g.head > parallel {
		parts = runtime.GOMAXPROCS(0)
	}
	found := make([]finding, parts)
	var wg sync.WaitGroup
	for i := range parts {
		from, to := n*i/parts, n*(i+1)/parts
		if i == parts-1 {
			found[i] = g.search(unit, threshold, from, to)
			continue
		}
		wg.Go(func() { found[i] = g.search(unit, threshold, from, to) })
	}
	wg.Wait()
	best := finding{at: -1}
	for _, f := range found {
		if f.at >= 0 && f.score >= best.score {
			best = f
		}
	}
	if best.at < 0 {
		return nil, 0
	}
	return g.entries[best.at], best.score
}

// search returns the nearest of a part, with at -1 if there is none.
func (g *group[V]) search(unit []float32, threshold float64, from, to int) finding {
	best := finding{at: -1, score: threshold}
	head, tail := unit[:g.head], unit[g.head:]
	rest := norm(tail)
	least := float32(threshold) - slack
	for i := from; i < to; i++ {
		score := dot(head, g.heads[i*g.head:(i+1)*g.head])
		if score+rest*g.rests[i] < least {
			continue
		}
		if len(tail) > 0 {
			score += dot(tail, g.tails[i*len(tail):(i+1)*len(tail)])
		}
		if score < least {
			continue
		}
		if exact := g.exact(unit, i); exact >= best.score {
			best = finding{i, exact}
			least = float32(exact) - slack
		}
	}
	return best
}

// exact returns the similarity in 64 bits.
func (g *group[V]) exact(unit []float32, i int) float64 {
	sum := 0.0
	for j, f := range g.heads[i*g.head : (i+1)*g.head] {
		sum += float64(f) * float64(unit[j])
	}
	tail := g.dims - g.head
	for j, f := range g.tails[i*tail : (i+1)*tail] {
		sum += float64(f) * float64(unit[g.head+j])
	}
	return min(sum, 1)
}

// dot returns the sum of products, eight at a time.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for ; len(a) >= 8; a, b = a[8:], b[8:] {
		x, y := (*[8]float32)(a), (*[8]float32)(b)
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
		s4 += x[4] * y[4]
		s5 += x[5] * y[5]
		s6 += x[6] * y[6]
		s7 += x[7] * y[7]
	}
	for i, f := range a {
		s0 += f * b[i]
	}
	return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
}

// norm returns how long a vector is.
func norm(v []float32) float32 {
	sum := 0.0
	for _, f := range v {
		sum += float64(f) * float64(f)
	}
	return float32(math.Sqrt(sum))
}
