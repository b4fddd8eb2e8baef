package cache

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/holysheep/relay/plugins"
)

// overhead is what it takes to keep an answer besides its bytes: the key, the
// node, its place in the table and in the queues, and the answer itself. It
// was measured, and TestStoreIsBoundedByBytes holds it.
const overhead = 320

// A store holds answers within a number of bytes. It outlives configurations.
type store struct {
	answers *otter.Cache[key, *keptAnswer]
}

// newStore returns a store of at most the given size. evicted is called for
// each answer that had to leave for others.
func newStore(size plugins.Size, evicted func()) (*store, error) {
	answers, err := otter.New(&otter.Options[key, *keptAnswer]{
		MaximumWeight: uint64(size),
		Weigher:       func(_ key, a *keptAnswer) uint32 { return a.weight() },
		OnDeletion: func(e otter.DeletionEvent[key, *keptAnswer]) {
			if e.WasEvicted() {
				evicted()
			}
		},
		// On the caller's goroutine, so that there is none to wait for. What is
		// put off is done with the next call, or at once by CleanUp.
		Executor: func(task func()) { task() },
	})
	if err != nil {
		return nil, fmt.Errorf("the store: %w", err)
	}
	return &store{answers: answers}, nil
}

// get returns an answer, or nil.
func (s *store) get(k key) *keptAnswer {
	a, _ := s.answers.GetIfPresent(k)
	return a
}

// put stores an answer, or does not if others are worth more. The store is
// within its size when put returns.
func (s *store) put(k key, a *keptAnswer) {
	s.answers.Set(k, a)
	s.answers.CleanUp()
}

// resize changes how much the store holds, and drops what is too much.
func (s *store) resize(size plugins.Size) { s.answers.SetMaximum(uint64(size)) }

// bytes returns the memory that is in use.
func (s *store) bytes() uint64 { return s.answers.WeightedSize() }

// entries returns how many answers are stored, those that are too old included.
func (s *store) entries() int { return s.answers.EstimatedSize() }

// Close drops everything.
func (s *store) Close() error {
	s.answers.InvalidateAll()
	return nil
}

// An answer is a stored one. Nothing of it changes.
type keptAnswer struct {
	header [2]string     // by storedHeaders; "" if the answer had none
	body   []byte        // made by append, so that its capacity is what it takes
	since  time.Time     // when it was made: before it came, if it came with an age
	most   time.Duration // the age up to which its upstream lets it be given again
}

// storedHeaders are the headers that are stored, all others belong to the one
// call that they came with. A list of those that are not would be out of date
// with the next header that an upstream thinks of, and it would be a stranger's
// request id, limit or cookie that leaks. No stored answer is encoded.
func storedHeaders() [2]string {
	return [...]string{"Content-Type", "Content-Language"}
}

func newAnswer(h http.Header, since time.Time) *keptAnswer {
	a := &keptAnswer{since: since, most: readDirectives(h).lifetime()}
	for i, name := range storedHeaders() {
		a.header[i] = strings.Clone(strings.Join(h[name], ", "))
	}
	return a
}

// response returns the answer as if req had just got it.
func (a *keptAnswer) response(req *http.Request) *http.Response {
	h := make(http.Header, len(a.header)+1)
	for i, name := range storedHeaders() {
		if a.header[i] != "" {
			h[name] = []string{a.header[i]}
		}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	return &http.Response{
		Status:        "200 OK",
		StatusCode:    http.StatusOK,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        h,
		Body:          io.NopCloser(bytes.NewReader(a.body)),
		ContentLength: int64(len(a.body)),
		Request:       req,
	}
}

// weight is the memory that a stored answer takes, in bytes. max_value bounds
// the body and net/http the header, so that it fits.
func (a *keptAnswer) weight() uint32 {
	n := overhead + cap(a.body)
	for _, v := range a.header {
		n += len(v)
	}
	return uint32(n)
}
