package nearest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
)

// random returns a vector in a random direction, near to another one if that is
// not nil.
func random(r *rand.Rand, dims int, near []float32, by float64) []float32 {
	v := make([]float32, dims)
	for i := range v {
		v[i] = float32(r.NormFloat64())
		if near != nil {
			v[i] = near[i] + float32(by)*v[i]
		}
	}
	return v
}

// plain is the search that Find is held against.
func plain(all map[int][]float32, v []float32, threshold float64) (best int, score float64, ok bool) {
	score = threshold
	for i, other := range all {
		var ab, aa, bb float64
		for j := range v {
			ab += float64(v[j]) * float64(other[j])
			aa += float64(v[j]) * float64(v[j])
			bb += float64(other[j]) * float64(other[j])
		}
		if s := ab / math.Sqrt(aa*bb); s >= score {
			best, score, ok = i, s, true
		}
	}
	return best, score, ok
}

// TestFindIsRight compares it with a plain search in 64 bits, for vectors of all
// lengths, near ones and far ones, while some come and go.
func TestFindIsRight(t *testing.T) {
	for _, dims := range []int{1, 3, 31, 64, 100, 256, 1536} {
		r := rand.New(rand.NewPCG(uint64(dims), 1))
		x, all := New[int](10_000), map[int][]float32{}
		var last []float32
		for i := range 400 {
			v := random(r, dims, nil, 0)
			if last != nil && r.IntN(2) == 0 {
				v = random(r, dims, last, 0.2)
			}
			last = v
			if err := x.Add(Group{1}, i%300, v); err != nil {
				t.Fatal(err)
			}
			all[i%300] = v
			if r.IntN(5) == 0 {
				gone := r.IntN(300)
				x.Remove(func(v int) bool { return v == gone })
				delete(all, gone)
			}
			q := random(r, dims, last, []float64{0.01, 0.3, 1}[r.IntN(3)])
			threshold := r.Float64()
			want, wantScore, wantOK := plain(all, q, threshold)
			got, score, ok := x.Find(Group{1}, q, threshold)
			if ok != wantOK && math.Abs(max(score, wantScore)-threshold) > 1e-6 || ok && wantOK && math.Abs(score-wantScore) > 1e-6 {
				t.Fatalf("%d dimensions: Find = %d, %v, %t, want %d, %v, %t", dims, got, score, ok, want, wantScore, wantOK)
			}
		}
		if x.Len() != len(all) {
			t.Errorf("%d vectors, want %d", x.Len(), len(all))
		}
	}
}

func TestGroupsNeverMeet(t *testing.T) {
	x := New[string](10)
	_ = x.Add(Group{1}, "a", []float32{1, 0})
	if v, _, ok := x.Find(Group{2}, []float32{1, 0}, 0); ok {
		t.Errorf("another group has found %s", v)
	}
	if _, _, ok := x.Find(Group{1}, []float32{1, 0, 0}, 0); ok {
		t.Error("a vector of another length was found")
	}
	_ = x.Add(Group{1}, "b", []float32{1, 0, 0})
	if v, score, ok := x.Find(Group{1}, []float32{2, 0, 0}, 0.9); v != "b" || score != 1 || !ok || x.Len() != 1 {
		t.Errorf("after one of another length Find = %s, %v, %t of %d", v, score, ok, x.Len())
	}
}

func TestWhatWasNotUsedLeaves(t *testing.T) {
	x := New[int](3)
	axis := func(i int) []float32 { v := make([]float32, 4); v[i] = 1; return v }
	for i := range 3 {
		_ = x.Add(Group{byte(i)}, i, axis(i))
	}
	x.Find(Group{0}, axis(0), 0.5)
	_ = x.Add(Group{3}, 3, axis(3))
	for i, want := range []bool{true, false, true, true} {
		if _, _, ok := x.Find(Group{byte(i)}, axis(i), 0.5); ok != want {
			t.Errorf("%d is there %t, want %t", i, ok, want)
		}
	}
	if x.Resize(1); x.Len() != 1 || len(x.groups) != 1 {
		t.Errorf("%d in %d groups are left, want 1", x.Len(), len(x.groups))
	}
}

func TestVectorsWithoutADirection(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	x := New[int](3)
	for _, v := range [][]float32{nil, {0, 0}, {inf, 1}, {nan}} {
		if err := x.Add(Group{}, 1, v); !errors.Is(err, ErrVector) {
			t.Errorf("Add %v = %v, want %v", v, err, ErrVector)
		}
		if _, _, ok := x.Find(Group{}, v, 0); ok || x.Len() != 0 {
			t.Errorf("%v was found", v)
		}
	}
}

func TestAtOnce(t *testing.T) {
	x := New[int](100)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 0))
			for i := range 500 {
				v := random(r, 16, nil, 0)
				_ = x.Add(Group{byte(i % 3)}, r.IntN(200), v)
				if _, score, ok := x.Find(Group{byte(i % 3)}, v, 0.5); ok && score < 0.5 {
					t.Errorf("score = %v", score)
				}
				if i%50 == 0 {
					x.Remove(func(v int) bool { return v%7 == 0 })
				}
			}
		})
	}
	wg.Wait()
	if x.Len() > 100 || x.order.Len() != x.Len() {
		t.Errorf("%d vectors, %d in order, want 100 at most", x.Len(), x.order.Len())
	}
}

func BenchmarkFind(b *testing.B) {
	for _, dims := range []int{256, 1536} {
		for _, n := range []int{1000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("dims=%d/n=%d", dims, n), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 1))
				x := New[int](n)
				in := newGroup[int](dims)
				x.groups[Group{}] = in
				for i := range n { // as Add does, which looks for the same value first
					unit, _ := unitOf(random(r, dims, nil, 0))
					e := &entry[int]{value: i, at: i}
					e.node = x.order.PushFront(e)
					in.add(e, unit)
				}
				q := random(r, dims, nil, 0)
				for b.Loop() {
					x.Find(Group{}, q, 0.95)
				}
			})
		}
	}
}
