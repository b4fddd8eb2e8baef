package ledger

import (
	"slices"
	"testing"
	"time"
)

const second = int64(time.Second / time.Microsecond)

func TestGenerationsKeepWhatMeansSomething(t *testing.T) {
	var g generations[int]
	a, b, c := Subject{A: "a"}, Subject{A: "b"}, Subject{A: "c"}
	kept := func(now int64, want ...Subject) {
		t.Helper()
		g.turn(now)
		for _, s := range []Subject{a, b, c} {
			if _, ok := g.get(s); ok != slices.Contains(want, s) {
				t.Errorf("at %ds: %q is kept: %t", now/second, s.A, ok)
			}
		}
	}
	g.turn(0)
	g.put(a, 1, 60*second)
	g.put(b, 1, 5*second)
	kept(9*second, a, b)
	kept(10*second, a, b) // now they are old
	g.put(c, 1, 65*second)
	g.put(c, 1, 30*second) // which leaves the others as long
	kept(30*second, a, b, c)
	kept(59*second, a, b, c)
	kept(60*second, c) // now c is old
	kept(61*second, c)
	kept(70 * second)
}

func TestGenerationsDropBothWhenNeitherMeansAnything(t *testing.T) {
	var g generations[int]
	g.turn(0)
	g.put(Subject{A: "a"}, 1, 60*second)
	g.turn(10 * second)
	g.put(Subject{A: "b"}, 1, 70*second)
	g.turn(100 * second)
	if n := len(g.young) + len(g.old); n != 0 {
		t.Errorf("%d are kept", n)
	}
}

func TestGenerationsYieldTheNewestOfEach(t *testing.T) {
	var g generations[int]
	a, b := Subject{A: "a"}, Subject{A: "b"}
	g.turn(0)
	g.put(a, 1, 60*second)
	g.put(b, 2, 60*second)
	g.turn(10 * second)
	g.put(a, 3, 60*second)
	sum := 0
	for _, v := range g.all() {
		sum += v
	}
	if sum != 5 {
		t.Errorf("the sum is %d, want 2 and 3", sum)
	}
	for range g.all() {
		break
	}
	g.drop(b)
	if _, ok := g.get(b); ok {
		t.Error("b is still there")
	}
}

// A clock that was years ahead does not have things kept for as long.
func TestGenerationsFollowAClockThatIsSetBack(t *testing.T) {
	var g generations[int]
	const years = 1000 * 86400 * 1_000_000
	g.turn(years)
	g.put(Subject{A: "a"}, 1, years+60*second)
	for _, now := range []int64{0, 10 * second, 59 * second} {
		g.turn(now)
		if _, ok := g.get(Subject{A: "a"}); !ok {
			t.Errorf("at %ds it is gone", now/second)
		}
	}
	g.turn(60 * second)
	if n := len(g.young) + len(g.old); n != 0 {
		t.Errorf("%d are kept", n)
	}
}

// Debts are kept apart, and what was there before them does not come back.
func TestDebts(t *testing.T) {
	var r rates
	s := Subject{A: "a"}
	set := func(now, used, depth int64) { r.set(&Claim{Subject: s, Limit: depth}, now, used) }
	r.turn(0)
	set(0, 90*second, 100*second)
	r.turn(10 * second)
	set(10*second, 2*second, second) // by a smaller depth it is in debt
	if len(r.debts) != 1 || len(r.buckets.old)+len(r.buckets.young) != 0 {
		t.Fatalf("%+v", r)
	}
	r.turn(90 * second)
	if b := r.get(s); len(r.debts) != 0 || b.Used(20*second, second, 0) != 0 {
		t.Fatalf("the debt is kept, or what was before it: %+v", r)
	}
	set(20*second, 2*second, second)
	set(20*second, second/2, second)
	if got := r.get(s).Used(20*second, second, 0); got != second/2 {
		t.Errorf("after the debt %d is used", got)
	}
	set(20*second, 0, second)
	if b := r.get(s); b != (Bucket{}) {
		t.Errorf("full, it is %+v", b)
	}
}
