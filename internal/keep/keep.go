// Package keep holds state that outlives the configuration it was made for:
// counters, leases and caches pass from one generation of the configuration to
// the next and are freed after the last one that held them.
//
// It does not know what it keeps.
package keep

import (
	"errors"
	"io"
	"slices"
	"sync"
)

// A Store holds state by key for the generations that hold it. The zero Store
// is empty and ready to use.
type Store struct {
	mu    sync.Mutex
	items map[string]*item
	made  int // how many items there have ever been
}

type item struct {
	value any
	order int // in which it was made
	holds int
	stays bool // as long as the process
}

// A Hold is what one generation keeps.
type Hold struct {
	store *Store
	keys  map[string]struct{} // guarded by store.mu
	done  bool                // guarded by store.mu
}

// Hold returns the hold of a new generation. End it with Release.
func (s *Store) Hold() *Hold {
	return &Hold{store: s, keys: map[string]struct{}{}}
}

// Keep returns the state named key and creates it if no generation holds it.
// An error of create is returned as it is and nothing is kept. State that stays
// is never freed.
func (h *Hold) Keep(key string, stays bool, create func() (any, error)) (any, error) {
	s := h.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.done {
		return nil, errors.New("keep " + key + ": the generation has ended")
	}
	it, ok := s.items[key]
	if !ok {
		value, err := create()
		if err != nil {
			return nil, err
		}
		s.made++
		it = &item{value: value, order: s.made, stays: stays}
		if s.items == nil {
			s.items = map[string]*item{}
		}
		s.items[key] = it
	}
	if _, held := h.keys[key]; !held {
		h.keys[key] = struct{}{}
		it.holds++
	}
	return it.value, nil
}

// Release ends the hold and frees, by Close if they have one, what no other
// generation holds: the latest first, for it may need what was there before it.
// It may be called twice.
func (h *Hold) Release() error {
	var errs []error
	for _, it := range h.drop() {
		if c, ok := it.value.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// drop lets go of every key and returns what nobody holds any more, the latest
// first.
func (h *Hold) drop() (free []*item) {
	s := h.store
	s.mu.Lock()
	defer s.mu.Unlock()
	h.done = true
	for key := range h.keys {
		it := s.items[key]
		it.holds--
		if it.holds == 0 && !it.stays {
			delete(s.items, key)
			free = append(free, it)
		}
	}
	clear(h.keys)
	slices.SortFunc(free, func(a, b *item) int { return b.order - a.order })
	return free
}
