package keep

import (
	"errors"
	"testing"
)

type closer struct{ closed int }

func (c *closer) Close() error { c.closed++; return nil }

func TestStateOutlivesTheGenerationThatMadeIt(t *testing.T) {
	var s Store
	made := 0
	create := func() (any, error) { made++; return &closer{}, nil }

	first, second := s.Hold(), s.Hold()
	a, _ := first.Keep("count", false, create)
	b, _ := second.Keep("count", false, create)
	_, _ = second.Keep("count", false, create)
	if a != b || made != 1 {
		t.Fatalf("two generations hold %p and %p, made %d, want one", a, b, made)
	}
	if err := first.Release(); err != nil || a.(*closer).closed != 0 {
		t.Errorf("after the first: closed %d, err %v, want kept", a.(*closer).closed, err)
	}
	_ = second.Release()
	_ = second.Release()
	if got := a.(*closer).closed; got != 1 {
		t.Errorf("after the last: closed %d times, want once", got)
	}
	if c, _ := s.Hold().Keep("count", false, create); c == a {
		t.Error("freed state came back")
	}
}

func TestStateThatStaysIsNeverFreed(t *testing.T) {
	var s Store
	h := s.Hold()
	a, _ := h.Keep("metrics", true, func() (any, error) { return &closer{}, nil })
	_ = h.Release()
	b, _ := s.Hold().Keep("metrics", true, func() (any, error) { return &closer{}, nil })
	if a != b || a.(*closer).closed != 0 {
		t.Errorf("got %p closed %d times, want the first, open", b, a.(*closer).closed)
	}
}

func TestNothingIsKeptAfterAnError(t *testing.T) {
	var s Store
	want := errors.New("no")
	if _, err := s.Hold().Keep("k", false, func() (any, error) { return nil, want }); !errors.Is(err, want) {
		t.Errorf("err = %v, want %v", err, want)
	}
	if v, err := s.Hold().Keep("k", false, func() (any, error) { return 1, nil }); v != 1 || err != nil {
		t.Errorf("got %v, %v, want a new value", v, err)
	}
}

func TestAnEndedGenerationKeepsNothing(t *testing.T) {
	var s Store
	h := s.Hold()
	_ = h.Release()
	if _, err := h.Keep("k", false, func() (any, error) { return 1, nil }); err == nil {
		t.Error("a released hold took a key, which nobody would free")
	}
}

type closeFunc func()

func (f closeFunc) Close() error { f(); return nil }

// TestTheLatestIsFreedFirst keeps states that need each other in a row: none is
// freed before what was made on top of it.
func TestTheLatestIsFreedFirst(t *testing.T) {
	var s Store
	h := s.Hold()
	open := 0
	for i := range 20 {
		_, _ = h.Keep(string(rune('a'+i)), false, func() (any, error) {
			open++
			return closeFunc(func() {
				if open--; open != i {
					t.Errorf("state %d is freed while %d are there", i, open)
				}
			}), nil
		})
	}
	_ = h.Release()
}
