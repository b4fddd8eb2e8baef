package fairqueue

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slots is what is waited for: so many at a time.
type slots struct {
	mu    sync.Mutex
	free  int
	tries int
	got   []string // who got one, in order
}

func (s *slots) try(who string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	if s.free == 0 {
		return false
	}
	s.free--
	s.got = append(s.got, who)
	return true
}

func (s *slots) give(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free += n
}

func (s *slots) took() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.got, " ")
}

// join has the client wait in the line for a slot, for at most an hour, and
// returns when it waits. The result comes from the channel.
func join(ctx context.Context, q *Queue[string], s *slots, line, client, who string) <-chan error {
	result := make(chan error, 1)
	go func() {
		result <- q.Wait(ctx, line, client, time.Hour, func() bool { return s.try(who) })
	}()
	synctest.Wait()
	return result
}

// TestANoisyClientGetsNoMoreTurns has 100 waiters of one client come before
// three of another: it gets every second slot as long as it waits.
func TestANoisyClientGetsNoMoreTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, s := New[string](Options{Size: 200, Poll: time.Hour}), &slots{}
		for range 100 {
			join(t.Context(), q, s, "", "noisy", "n")
		}
		for _, who := range []string{"q1", "q2", "q3"} {
			join(t.Context(), q, s, "", "quiet", who)
		}
		for range 8 {
			s.give(1)
			q.Wake("")
			synctest.Wait()
		}
		if got, want := s.took(), "n q1 n q2 n q3 n n"; got != want {
			t.Errorf("slots went to %q, want %q", got, want)
		}
		s.give(95)
		q.Wake("")
		synctest.Wait()
		if q.Len() != 0 || len(s.got) != 103 {
			t.Errorf("%d wait, %d were served, want none of 103", q.Len(), len(s.got))
		}
	})
}

func TestManySlotsAtOnceWakeAsMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, s := New[string](Options{Size: 9, Poll: time.Hour}), &slots{}
		for who := range strings.FieldsSeq("a1 a2 b1 c1 a3") {
			join(t.Context(), q, s, "", who[:1], who)
		}
		s.give(4)
		q.Wake("") // once: whoever got a slot calls the next
		synctest.Wait()
		if got := s.took(); got != "a1 b1 c1 a2" || !q.Busy("") {
			t.Errorf("slots went to %q, busy: %t", got, q.Busy(""))
		}
		s.give(1)
		q.Wake("")
		synctest.Wait()
		if q.Busy("") || q.Oldest() != 0 {
			t.Errorf("nobody waits, but busy: %t, oldest %s", q.Busy(""), q.Oldest())
		}
	})
}

// A slot that is given back while the head finds none is not overlooked.
func TestACallDuringATryIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New[string](Options{Size: 1, Poll: time.Hour})
		tries := 0
		err := q.Wait(t.Context(), "", "a", time.Minute, func() bool {
			if tries++; tries == 1 {
				q.Wake("")
			}
			return tries == 2
		})
		if err != nil || tries != 2 {
			t.Errorf("%v after %d tries", err, tries)
		}
	})
}

// What is given back elsewhere is found without a call, and only by who has the
// turn.
func TestTheHeadAlonePolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, s := New[string](Options{Size: 9}), &slots{}
		first := join(t.Context(), q, s, "", "a", "a1")
		join(t.Context(), q, s, "", "b", "b1")
		time.Sleep(time.Second)
		synctest.Wait()
		if s.tries < 13 || s.tries > 41 {
			t.Errorf("%d tries in a second, want one every 25 to 75 ms", s.tries)
		}
		s.give(1)
		time.Sleep(DefaultPoll * 3 / 2)
		synctest.Wait()
		if err := <-first; err != nil || s.took() != "a1" {
			t.Errorf("%v, slots went to %q", err, s.took())
		}
		s.give(1)
		time.Sleep(DefaultPoll * 3 / 2)
	})
}

// What was given back may arrive a moment after the call.
func TestACallIsFollowedUpSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, s := New[string](Options{Size: 9, Poll: 1600 * time.Millisecond}), &slots{}
		result, began := join(t.Context(), q, s, "", "a", "a1"), time.Now()
		q.Wake("")
		synctest.Wait()
		s.give(1)
		if err := <-result; err != nil || time.Since(began) > 150*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestLinesDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, none, s := New[string](Options{Size: 9}), &slots{}, &slots{}
		ctx, cancel := context.WithCancel(t.Context())
		join(ctx, q, none, "full", "a", "a1")
		second := join(ctx, q, s, "free", "a", "a2")
		if q.Busy("other") || !q.Busy("free") {
			t.Error("who waits in one line waits in it alone")
		}
		s.give(1)
		q.Wake("free")
		if err := <-second; err != nil {
			t.Error(err)
		}
		cancel()
		synctest.Wait()
	})
}

func TestHowAWaitEnds(t *testing.T) {
	gone := errors.New("gone")
	synctest.Test(t, func(t *testing.T) {
		var visits []Visit
		q, s := New[string](Options{Size: 2, Left: func(v Visit) { visits = append(visits, v) }}), &slots{}
		ctx, cancel := context.WithCancelCause(t.Context())
		left := join(ctx, q, s, "", "a", "a1")
		late := make(chan error, 1)
		go func() { late <- q.Wait(t.Context(), "", "b", time.Second, func() bool { return s.try("b1") }) }()
		synctest.Wait()
		if err := q.Wait(t.Context(), "", "c", time.Second, func() bool { return s.try("c1") }); !errors.Is(err, ErrFull) {
			t.Errorf("a full queue: %v", err)
		}
		time.Sleep(time.Second / 2)
		if q.Oldest() != time.Second/2 {
			t.Errorf("oldest = %s", q.Oldest())
		}
		cancel(gone)
		if err := <-left; !errors.Is(err, gone) {
			t.Errorf("a context that ended: %v", err)
		}
		if err := <-late; !errors.Is(err, ErrLate) {
			t.Errorf("a wait that took too long: %v", err)
		}
		want := []Visit{{0, 0, ErrFull}, {0, time.Second / 2, gone}, {1, time.Second, ErrLate}}
		if !slices.Equal(visits, want) || q.Len() != 0 {
			t.Errorf("visits %v, want %v", visits, want)
		}
	})
}

func TestAFullQueueHasRoomForWhoHasFewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, s := New[string](Options{Size: 4, Poll: time.Hour}), &slots{}
		ctx, cancel := context.WithCancel(t.Context())
		noisy := map[string]<-chan error{}
		for who := range strings.FieldsSeq("a1 a2 a3 a4") {
			noisy[who] = join(ctx, q, s, who[1:], "a", who) // each in a line of its own
		}
		for who := range strings.FieldsSeq("b1 b2") {
			join(ctx, q, s, "x", "b", who)
		}
		for _, who := range []string{"a4", "a3"} {
			if err := <-noisy[who]; !errors.Is(err, ErrFull) {
				t.Errorf("%s: %v, want its place to be taken", who, err)
			}
		}
		if q.Busy("4") {
			t.Error("the line that was left is still there")
		}
		if err := q.Wait(ctx, "x", "b", time.Hour, nil); !errors.Is(err, ErrFull) {
			t.Errorf("a third of two: %v", err)
		}
		if err := <-join(ctx, q, s, "x", "a", "a5"); !errors.Is(err, ErrFull) {
			t.Errorf("who has most: %v", err)
		}
		q.SetSize(5)
		join(ctx, q, s, "x", "c", "c1")
		if q.Len() != 5 {
			t.Errorf("%d wait after the queue has grown, want 5", q.Len())
		}
		cancel()
		synctest.Wait()
	})
}

// Whoever is put out while it tries and gets something keeps it.
func TestWhatATryGotIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, s := New[string](Options{Size: 2, Poll: time.Hour}), &slots{}
		ctx, cancel := context.WithCancel(t.Context())
		join(ctx, q, s, "1", "a", "a1")
		err := q.Wait(ctx, "2", "a", time.Hour, func() bool {
			join(ctx, q, s, "3", "b", "b1") // takes the place
			return true
		})
		if err != nil || q.Len() != 2 {
			t.Errorf("%v, %d wait, want nil and 2", err, q.Len())
		}
		cancel()
		synctest.Wait()
	})
}

func TestAPanicLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, s := New[string](Options{Size: 2, Poll: time.Hour}), &slots{}
		func() {
			defer func() { _ = recover() }()
			_ = q.Wait(t.Context(), "", "a", time.Hour, func() bool { panic("a") })
		}()
		s.give(1)
		if err := <-join(t.Context(), q, s, "", "b", "b1"); err != nil || q.Len() != 0 {
			t.Errorf("%v, %d wait", err, q.Len())
		}
	})
}

func TestThePositionIsHowManyHaveATurnBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var places []int
		q := New[string](Options{Size: 99, Poll: time.Hour, Left: func(v Visit) { places = append(places, v.Position) }})
		s := &slots{}
		for who := range strings.FieldsSeq("a1 a2 a3 b1 c1 b2 a4") {
			join(t.Context(), q, s, "", who[:1], who)
		}
		s.give(7)
		q.Wake("")
		synctest.Wait()
		// Served: a1 b1 c1 a2 b2 a3 a4. Each place is as of when it came.
		if want := []int{0, 1, 2, 1, 4, 2, 6}; !slices.Equal(places, want) {
			t.Errorf("%v, want %v; slots went to %s", places, want, s.took())
		}
	})
}
