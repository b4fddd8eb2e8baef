package upstream

import (
	"math/rand/v2"
	"time"

	"github.com/holysheep/relay/internal/breaker"
	"github.com/holysheep/relay/plugins"
)

// An option is an upstream that a request could ask for a model, as it stands
// at that moment.
type option struct {
	m     *member
	model string
	rank  int           // of the model: 0 is the one asked for, 1 the first that it falls back on
	left  time.Duration // until its ejection ends

	out   bool // ejected, or waiting for what a trial comes to
	spare bool // out, and yet to be asked: too many are out
	full  bool // it has as many requests as it may have
	asked bool // by this request
	lone  bool // there is no model to fall back on
}

// see notes how the breaker stands.
func (o *option) see(s breaker.State, left time.Duration) {
	o.out, o.left = s == breaker.Ejected || s == breaker.OnTrial, left
}

// wasAskedBy reports whether the attempt has asked the same: the upstream, for
// the same model unless it could not be reached at all. A refused key that
// leaves others does not count.
func (o *option) wasAskedBy(t *plugins.Attempt) bool {
	if t.Upstream() != o.m.name || t.Fault() == plugins.FaultKey {
		return false
	}
	model := t.Model()
	return model == o.model || model == "" || t.Unsent()
}

// spare marks as to be asked all the same those whose ejection ends soonest, so
// that no more than so many percent are held out: a bad upstream is better than
// none.
func spare(options []option, percent int) {
	held := 0
	for i := range options {
		if options[i].out {
			held++
		}
	}
	for over := held - len(options)*percent/100; over > 0; over-- {
		soonest := -1
		for i := range options {
			o := &options[i]
			if o.out && !o.spare && (soonest < 0 || o.left < options[soonest].left) {
				soonest = i
			}
		}
		options[soonest].spare = true
	}
}

// The grades of options, best first.
const (
	gradeFresh = iota // healthy, and not asked by this request
	gradeSpare        // too many are out, and somebody would answer with another model
	gradeAgain        // healthy, and asked before: a retry asks it once more
	gradeAgainSpare
	gradeEjected // all that is left
	gradeEjectedAgain
	gradeFull
)

// grade returns how good the option is. One that may be asked since too many
// are out is as good as healthy, unless there is a model to fall back on:
// somebody healthy who serves that comes first.
func (o *option) grade() int {
	switch {
	case o.full:
		return gradeFull
	case o.out && !o.spare && o.asked:
		return gradeEjectedAgain
	case o.out && !o.spare:
		return gradeEjected
	case o.asked && o.spare:
		return gradeAgainSpare
	case o.asked:
		return gradeAgain
	case o.spare && !o.lone:
		return gradeSpare
	}
	return gradeFresh
}

// choose returns which option is taken, -1 if all are full: of the best grade,
// and of these of the model that comes first, those of the lowest priority, by
// [draw]. Where all are ejected, it is the one whose time is over soonest.
func choose(options []option) int {
	best, rank := gradeFull, 0
	for i := range options {
		// They are in the order of their models.
		if g := options[i].grade(); g < best {
			best, rank = g, options[i].rank
		}
	}
	if best == gradeFull {
		return -1
	}
	var room [fewOptions]int
	from := room[:0]
	for i := range options {
		if o := &options[i]; o.rank == rank && o.grade() == best {
			from = append(from, i)
		}
	}
	if best >= gradeEjected {
		soonest := from[0]
		for _, i := range from {
			if options[i].left < options[soonest].left {
				soonest = i
			}
		}
		return soonest
	}
	return draw(options, lowest(options, from))
}

// lowest returns those of the lowest priority, in place. Those of weight 0 are
// left out as long as there is another.
func lowest(options []option, from []int) []int {
	weighty := false
	for _, i := range from {
		weighty = weighty || options[i].m.set.Weight > 0
	}
	kept := from[:0]
	for _, i := range from {
		set := &options[i].m.set
		switch {
		case weighty && set.Weight == 0:
			continue
		case len(kept) > 0 && options[kept[0]].m.set.Priority != set.Priority:
			return kept // members are in the order of their priorities
		}
		kept = append(kept, i)
	}
	return kept
}

// draw draws two by their weights and takes the one that has fewer requests in
// flight for its weight, the first drawn if both have as many. So shares are
// those of the weights as long as nobody waits, and an upstream that is slower
// than the rest gets less than its share.
//
// Drawing without weights and comparing (in flight + 1) / weight, as is often
// done, gives everything to the heavier of two idle upstreams: 100 to 0 where
// the weights say 3 to 1.
func draw(options []option, from []int) int {
	if len(from) == 1 {
		return from[0]
	}
	sum := 0
	for _, i := range from {
		sum += options[i].m.set.Weight
	}
	a, b := drawOne(options, from, sum), drawOne(options, from, sum)
	if options[b].m.idler(options[a].m) {
		return b
	}
	return a
}

// drawOne draws one by its weight, or any if no weight is above 0.
func drawOne(options []option, from []int, sum int) int {
	if sum == 0 {
		return from[rand.IntN(len(from))] //nolint:gosec // a share, not a secret
	}
	n := rand.IntN(sum) //nolint:gosec // a share, not a secret
	for _, i := range from {
		if n -= options[i].m.set.Weight; n < 0 {
			return i
		}
	}
	return from[0]
}

// idler reports whether m has fewer requests in flight for its weight than n.
func (m *member) idler(n *member) bool {
	return m.state.inFlight.Load()*int64(max(n.set.Weight, 1)) < n.state.inFlight.Load()*int64(max(m.set.Weight, 1))
}
