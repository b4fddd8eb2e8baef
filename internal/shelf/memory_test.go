package shelf

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/holysheep/relay/internal/answer"
)

func newTestMemory(t testing.TB, size int64) *memory {
	t.Helper()
	s, err := newMemory(size, func() {})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// numbered returns the i-th place.
func numbered(i int) (p answer.Place) {
	binary.BigEndian.PutUint64(p.Key[:], uint64(i))
	copy(p.Name.ID[:], p.Key[:])
	return p
}

// overhead is what an answer takes besides its body.
var overhead = int((&answer.Answer{}).Weight())

func sized(n int) *answer.Answer {
	return &answer.Answer{Type: "application/json", Body: append([]byte(nil), make([]byte, n)...)}
}

// TestMemoryIsBoundedByBytes compares the heap with what the store may take:
// answers of one byte show what it takes to keep one.
func TestMemoryIsBoundedByBytes(t *testing.T) {
	const size = 16 << 20
	for _, n := range []int{1, 1000, 33_000, 100_000} {
		before := heap()
		s := newTestMemory(t, size)
		for i := range 2 * size / (n + overhead) {
			s.put(numbered(i), sized(n))
			if got := s.bytes(); got > size {
				t.Fatalf("bodies of %d: %d bytes after %d answers, want at most %d", n, got, i, size)
			}
		}
		used := heap() - before
		if used > size+size/50 { // others use the heap too
			t.Errorf("bodies of %d: the heap grew by %d bytes, want at most %d", n, used, size)
		}
		if got := s.bytes(); got < size*3/4 || used < size/3 {
			t.Errorf("bodies of %d: %d bytes are in use, %d by the heap, want most of %d", n, got, used, size)
		}
		t.Logf("bodies of %d: %d answers, %d bytes, %d by the heap", n, s.entries(), s.bytes(), used)
		runtime.KeepAlive(s)
	}
}

// heap returns how much memory is in use for what can be reached.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what the first one only marked as finalized
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestMemoryCountsWhatReplaces(t *testing.T) {
	s := newTestMemory(t, 1<<20)
	for _, n := range []int{10, 500_000, 1000} {
		s.put(numbered(1), sized(n))
		if want := uint64(n + overhead + len("application/json")); s.bytes() < want || s.bytes() > want+want/8 || s.entries() != 1 {
			t.Errorf("after a body of %d: %d bytes in %d entries, want about %d in 1", n, s.bytes(), s.entries(), want)
		}
	}
}

func TestMemoryWithoutRoom(t *testing.T) {
	evicted := 0
	s, err := newMemory(1000, func() { evicted++ })
	if err != nil {
		t.Fatal(err)
	}
	s.put(numbered(1), sized(2000))
	if got := s.get(numbered(1)); got != nil || s.bytes() != 0 || evicted != 1 {
		t.Errorf("get = %v, %d bytes, %d evicted, want nil, 0, 1", got, s.bytes(), evicted)
	}
}

// TestMemoryAtOnce has many goroutines read, write and resize.
func TestMemoryAtOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	const size = 100_000
	s := newTestMemory(t, size)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 0))
			for range 3000 {
				n := r.IntN(200)
				if a := s.get(numbered(n)); a != nil && len(a.Body) != n {
					t.Errorf("answer %d has %d bytes", n, len(a.Body))
				}
				s.put(numbered(n), sized(n))
				if n == 0 {
					s.resize(int64(size / (1 + r.IntN(2))))
				}
			}
		})
	}
	all.Wait()
	s.resize(size / 2)
	if got := s.bytes(); got > size/2 || got == 0 {
		t.Errorf("%d bytes are in use, want some of at most %d", got, size/2)
	}
	if s.clear(); s.bytes() != 0 || s.entries() != 0 {
		t.Errorf("%d bytes in %d entries are left, want none", s.bytes(), s.entries())
	}
}

func TestMemoryOfNoSize(t *testing.T) {
	s := newTestMemory(t, 0)
	s.put(numbered(1), sized(10))
	if s.get(numbered(1)) != nil {
		t.Error("something is kept")
	}
	s.resize(10_000)
	s.put(numbered(1), sized(10))
	if s.get(numbered(1)) == nil {
		t.Error("nothing is kept once there is room")
	}
	s.resize(0)
	if s.put(numbered(2), sized(10)); s.bytes() != 0 || s.entries() != 0 {
		t.Errorf("%d bytes in %d entries are kept", s.bytes(), s.entries())
	}
}
