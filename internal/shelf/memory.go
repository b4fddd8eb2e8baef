package shelf

import (
	"fmt"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/holysheep/relay/internal/answer"
)

// memory is the tier in memory, within a number of bytes.
type memory struct {
	answers *otter.Cache[answer.Place, *answer.Answer]
	off     atomic.Bool // it keeps nothing
}

// least is the smallest size that the store can have. No answer is so small.
func least(size int64) uint64 { return uint64(max(size, 1)) }

func newMemory(size int64, evicted func()) (*memory, error) {
	answers, err := otter.New(&otter.Options[answer.Place, *answer.Answer]{
		MaximumWeight: least(size),
		Weigher:       func(_ answer.Place, a *answer.Answer) uint32 { return a.Weight() },
		OnDeletion: func(e otter.DeletionEvent[answer.Place, *answer.Answer]) {
			if e.WasEvicted() && evicted != nil {
				evicted()
			}
		},
		// On the caller's goroutine, so that there is none to wait for. What is
		// put off is done with the next call, or at once by CleanUp.
		Executor: func(task func()) { task() },
	})
	if err != nil {
		return nil, fmt.Errorf("the store in memory: %w", err)
	}
	m := &memory{answers: answers}
	m.off.Store(size <= 0)
	return m, nil
}

func (m *memory) get(p answer.Place) *answer.Answer {
	a, _ := m.answers.GetIfPresent(p)
	return a
}

// put keeps an answer, or does not if others are worth more. The store is within
// its size when put returns.
func (m *memory) put(p answer.Place, a *answer.Answer) {
	if m.off.Load() {
		return
	}
	m.answers.Set(p, a)
	m.answers.CleanUp()
}

// remove drops the answers whose names fit, and returns how many those are.
func (m *memory) remove(fits func(answer.Name) bool) (n int) {
	for p := range m.answers.Keys() {
		if !fits(p.Name) {
			continue
		}
		if _, was := m.answers.Invalidate(p); was {
			n++
		}
	}
	return n
}

// resize changes how much there may be, and drops what is too much. 0 keeps
// nothing.
func (m *memory) resize(size int64) {
	m.off.Store(size <= 0)
	m.answers.SetMaximum(least(size))
}

func (m *memory) bytes() uint64 { return m.answers.WeightedSize() }
func (m *memory) entries() int  { return m.answers.EstimatedSize() }
func (m *memory) clear()        { m.answers.InvalidateAll() }
