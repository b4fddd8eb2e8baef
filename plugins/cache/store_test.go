package cache

import (
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holysheep/relay/plugins"
)

func newTestStore(t testing.TB, size plugins.Size) *store {
	t.Helper()
	s, err := newStore(size, func() {})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// numbered returns the i-th key.
func numbered(i int) (k key) {
	binary.BigEndian.PutUint64(k[:], uint64(i))
	return k
}

func sized(n int) *keptAnswer {
	h := http.Header{"Content-Type": {"application/json"}}
	a := newAnswer(h, time.Time{})
	a.body = append(a.body, make([]byte, n)...)
	return a
}

// TestStoreIsBoundedByBytes compares the heap with what the store may take:
// answers of one byte show what it takes to keep one.
func TestStoreIsBoundedByBytes(t *testing.T) {
	const size = 16 << 20
	for _, n := range []int{1, 1000, 33_000, 100_000} {
		before := heap()
		s := newTestStore(t, size)
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

func TestStoreCountsWhatReplaces(t *testing.T) {
	s := newTestStore(t, 1<<20)
	for _, n := range []int{10, 500_000, 1000} {
		s.put(numbered(1), sized(n))
		if want := uint64(n + overhead + len("application/json")); s.bytes() < want || s.bytes() > want+want/8 || s.entries() != 1 {
			t.Errorf("after a body of %d: %d bytes in %d entries, want about %d in 1", n, s.bytes(), s.entries(), want)
		}
	}
}

func TestStoreWithoutRoom(t *testing.T) {
	evicted := 0
	s, err := newStore(1000, func() { evicted++ })
	if err != nil {
		t.Fatal(err)
	}
	s.put(numbered(1), sized(2000))
	if got := s.get(numbered(1)); got != nil || s.bytes() != 0 || evicted != 1 {
		t.Errorf("get = %v, %d bytes, %d evicted, want nil, 0, 1", got, s.bytes(), evicted)
	}
}

// TestStoreAtOnce has many goroutines read, write and resize.
func TestStoreAtOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	const size = 100_000
	s := newTestStore(t, size)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 0))
			for range 3000 {
				n := r.IntN(200)
				if a := s.get(numbered(n)); a != nil && len(a.body) != n {
					t.Errorf("answer %d has %d bytes", n, len(a.body))
				}
				s.put(numbered(n), sized(n))
				if n == 0 {
					s.resize(plugins.Size(size / (1 + r.IntN(2))))
				}
			}
		})
	}
	all.Wait()
	s.resize(size / 2)
	if got := s.bytes(); got > size/2 || got == 0 {
		t.Errorf("%d bytes are in use, want some of at most %d", got, size/2)
	}
	if err := s.Close(); err != nil || s.bytes() != 0 || s.entries() != 0 {
		t.Errorf("Close = %v, %d bytes in %d entries are left, want none", err, s.bytes(), s.entries())
	}
}

// TestAnswerKeepsNoOtherBytes stores a header that is part of a long string.
func TestAnswerKeepsNoOtherBytes(t *testing.T) {
	before := heap()
	var kept []*keptAnswer
	for range 100 {
		all := strings.Repeat("x", 100_000)
		kept = append(kept, newAnswer(http.Header{"Content-Type": {all[:10]}}, time.Time{}))
	}
	if grown := heap() - before; grown > 1_000_000 {
		t.Errorf("100 answers of 10 bytes hold %d bytes", grown)
	}
	runtime.KeepAlive(kept)
}
