package limit

import (
	"sync"
	"testing"
)

// TestSlotsAreExact has goroutines take and release 3 slots in a crowd: one that
// finds them taken is right.
func TestSlotsAreExact(t *testing.T) {
	var s slots
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 200 {
				if held, ok := s.take(3); ok {
					if held > 3 {
						t.Errorf("%d are held, want 3 at most", held)
					}
					s.release()
				}
			}
		})
	}
	wg.Wait()
	for i := range int64(4) {
		if held, ok := s.take(3); ok != (i < 3) || ok && held != i+1 {
			t.Errorf("take %d = %d, %t", i, held, ok)
		}
	}
	if _, ok := s.take(0); !ok {
		t.Error("0 is a limit")
	}
}
