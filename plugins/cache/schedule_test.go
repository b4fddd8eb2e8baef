package cache_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
)

// TestSchedules has askers of both forms come, read and leave at random moments,
// the leader among them, beside an upstream that fails at random. Whoever stays
// gets the whole answer or the upstream's error; who is told that it is too far
// behind is one that others outran; one call at a time pays for what the
// upstream was asked; nothing is left over.
func TestSchedules(t *testing.T) {
	seeds := uint64(10_000)
	if testing.Short() {
		seeds = 500
	}
	running := goleak.IgnoreCurrent()
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) { schedule(t, rand.New(rand.NewPCG(seed, 7))) })
		if t.Failed() {
			t.Fatalf("with the seed %d", seed)
		}
	}
	if err := goleak.Find(running); err != nil {
		t.Error(err)
	}
}

var errBroken = errors.New("broken")

func schedule(t *testing.T, r *rand.Rand) {
	t.Helper()
	fails := r.IntN(4) == 0
	u := &talk{events: chunks(r.IntN(30)), pause: time.Duration(1+r.IntN(100)) * time.Millisecond}
	u.oneAsk = func(int) (int, error) {
		switch {
		case fails && r.IntN(3) == 0: // under the lock of u
			return 0, errBroken
		case fails && r.IntN(3) == 0:
			return 503, nil
		}
		return 200, nil
	}
	small, convert := r.IntN(3) == 0, r.IntN(2) == 0
	rt := caching(t, u, func(s *cache.Settings) {
		s.Convert = convert
		if small {
			s.MaxValue = plugins.Size(300 + r.IntN(2000))
		}
	})
	all := make([]*asker, 1+r.IntN(6))
	for i := range all {
		all[i] = drawn(r)
	}
	together(t, rt, all...)
	paid, behind := 0, 0
	for _, a := range all {
		if errors.Is(a.err, cache.ErrBehind) {
			behind++
		}
		check(t, u, a, fails, small)
		paid += plugins.CallOf(a.req.Context()).Trail.Attempts()
	}
	asked, open, _ := u.counts()
	if open != 0 || paid > asked || behind == len(all) {
		t.Errorf("asked %d times, of which %d are paid; %d bodies are open; %d of %d are behind", asked, paid, open, behind, len(all))
	}
	if !fails && paid < asked && !left(all) {
		t.Errorf("asked %d times, of which %d are paid, and nobody left", asked, paid)
	}
}

// drawn returns an asker of any kind.
func drawn(r *rand.Rand) *asker {
	a := &asker{body: greedy, late: time.Duration(r.IntN(2000)) * time.Millisecond}
	if r.IntN(3) > 0 {
		a.body = greedyStream
	}
	if r.IntN(3) == 0 {
		a.pace = time.Duration(r.IntN(300)) * time.Millisecond
	}
	if r.IntN(3) == 0 {
		a.leave = time.Duration(1+r.IntN(3000)) * time.Millisecond
	}
	return a
}

// left reports whether one of them has left.
func left(all []*asker) bool {
	for _, a := range all {
		if a.leave > 0 {
			return true
		}
	}
	return false
}

// check looks at what one asker got.
func check(t *testing.T, u *talk, a *asker, fails, small bool) {
	t.Helper()
	switch {
	case a.err == nil && a.status == http.StatusOK:
	case a.leave > 0 && errors.Is(a.err, context.Canceled):
		return
	case fails && (a.status == 503 || errors.Is(a.err, errBroken)):
		return
	case small && errors.Is(a.err, cache.ErrBehind):
		return
	default:
		t.Errorf("an asker that leaves after %s got %d, %v", a.leave, a.status, a.err)
		return
	}
	text := strings.Join(u.events, "")
	if a.body == greedyStream && a.got != text && !strings.HasSuffix(a.got, "data: [DONE]\n\n") {
		t.Errorf("an asker got %d bytes of a stream, want %d", len(a.got), len(text))
	}
	if a.body == greedy && !strings.Contains(a.got, `"object":"chat.completion"`) {
		t.Errorf("an asker got %q", a.got)
	}
}
