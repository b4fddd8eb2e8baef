package breaker

import (
	"sync"
	"testing"
	"time"
)

// rules are those of the tests: 3 in a row, half of 10 within 10 s.
func rules() Rules {
	return Rules{
		Failures: 3, ErrorPercent: 50, MinRequests: 10, Window: 10 * time.Second,
		Ejection: time.Second, MaxEjection: 5 * time.Second,
	}
}

// A bench is a breaker and its clock.
type bench struct {
	*Breaker
	t   *testing.T
	now time.Time
}

func newBench(t *testing.T, r Rules) *bench {
	t.Helper()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	return &bench{Breaker: New(now, r), t: t, now: now}
}

func (b *bench) pass(d time.Duration) { b.now = b.now.Add(d) }

// fail sends a request that fails, and returns what that changes.
func (b *bench) fail(wait time.Duration) Change {
	ticket, _ := b.Take(b.now)
	return b.Failure(b.now, ticket, wait)
}

// serve sends a request that is answered well.
func (b *bench) serve() Change {
	ticket, _ := b.Take(b.now)
	ticket, change := b.Answered(b.now, ticket)
	b.Success(b.now, ticket)
	return change
}

func (b *bench) want(state State, left time.Duration) {
	b.t.Helper()
	if got, gotLeft := b.Look(b.now); got != state || gotLeft != left {
		b.t.Errorf("state %d for %s, want %d for %s", got, gotLeft, state, left)
	}
}

func TestFailuresInARowEject(t *testing.T) {
	r := rules()
	r.ErrorPercent = 0
	b := newBench(t, r)
	for range 5 {
		b.fail(0)
		b.fail(0)
		b.serve()
	}
	b.want(Healthy, 0)
	b.fail(0)
	b.fail(0)
	if got, want := b.fail(0), (Change{Out: true, Reason: ByFailures, For: time.Second}); got != want {
		t.Errorf("the third in a row: %+v, want %+v", got, want)
	}
	b.want(Ejected, time.Second)
}

func TestTheShareOfFailuresEjects(t *testing.T) {
	r := rules()
	r.Failures = 0
	b := newBench(t, r)
	for range 4 {
		b.fail(0)
		b.serve()
	}
	b.serve()
	b.want(Healthy, 0) // 4 of 9
	if got := b.fail(0); got.Reason != ByErrorRate {
		t.Errorf("the fifth of 10: %+v, want an ejection by %s", got, ByErrorRate)
	}

	b = newBench(t, r)
	for range 9 {
		b.fail(0)
	}
	b.pass(r.Window)
	b.fail(0)
	b.want(Healthy, 0) // the rest is too old
}

func TestOneTrialAtATime(t *testing.T) {
	b := newBench(t, rules())
	b.fail(time.Second)
	b.want(Ejected, time.Second)
	b.pass(time.Second)
	b.want(Due, 0)
	trial, fits := b.Take(b.now)
	if _, second := b.Take(b.now); !fits || second {
		t.Fatalf("let through: the first %t, the second %t, want the first alone", fits, second)
	}
	b.want(OnTrial, 0)
	b.Forget(trial)
	b.want(Due, 0)

	trial, _ = b.Take(b.now)
	b.pass(time.Second) // the trial does not report
	b.want(Due, 0)
	next, fits := b.Take(b.now)
	b.Forget(trial)
	if b.want(OnTrial, 0); !fits {
		t.Fatal("the trial was not given again")
	}
	next, change := b.Answered(b.now, next)
	if want := (Change{Back: true, Reason: ByRetryAfter, For: 2 * time.Second}); change != want {
		t.Errorf("after the trial: %+v, want %+v", change, want)
	}
	b.Success(b.now, next)
	b.want(Healthy, 0)
}

func TestEjectionsInARowGetLonger(t *testing.T) {
	b := newBench(t, rules())
	for range 3 {
		b.fail(0)
	}
	for _, length := range []time.Duration{1, 2, 4, 5, 5} {
		b.want(Ejected, length*time.Second)
		b.pass(length * time.Second)
		if got := b.fail(0); got.Reason != ByTrial || !got.Again {
			t.Fatalf("a failed trial: %+v, want an ejection by %s again", got, ByTrial)
		}
	}
	for _, tt := range []struct {
		healthy, want time.Duration
	}{{9 * time.Second, 5 * time.Second}, {10 * time.Second, time.Second}} {
		b.pass(5 * time.Second)
		b.serve()
		b.pass(tt.healthy)
		for range 3 {
			b.fail(0)
		}
		b.want(Ejected, tt.want)
	}
}

func TestRetryAfterIsTakenAtItsWord(t *testing.T) {
	b := newBench(t, rules())
	if got, want := b.fail(3*time.Second), (Change{Out: true, Reason: ByRetryAfter, For: 3 * time.Second}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	b.fail(2 * time.Second)
	b.want(Ejected, 3*time.Second) // a shorter wait changes nothing
	b.fail(time.Hour)
	b.want(Ejected, 5*time.Second) // capped
}

func TestWhatBeganBeforeTheEjectionIsStale(t *testing.T) {
	b := newBench(t, rules())
	old, _ := b.Take(b.now)
	b.fail(time.Second)
	if _, change := b.Answered(b.now, old); change != (Change{}) {
		t.Errorf("an old answer: %+v, want no change", change)
	}
	asked, fits := b.Take(b.now)
	if fits {
		t.Error("an ejected one lets a request through")
	}
	if change := b.Failure(b.now, asked, 0); change != (Change{}) {
		t.Errorf("a failure while ejected: %+v, want no change", change)
	}
	// Somebody who had nobody else asks all the same, and is answered.
	if change := b.serve(); !change.Back {
		t.Errorf("an answer while ejected: %+v, want it back", change)
	}
	for range 3 {
		b.Failure(b.now, old, 0)
	}
	b.want(Healthy, 0)
}

func TestRulesChangeAtOnce(t *testing.T) {
	b := newBench(t, rules())
	b.fail(5 * time.Second)
	r := rules()
	r.MaxEjection, r.Failures = 2*time.Second, 1
	b.SetRules(b.now, r)
	b.want(Ejected, 2*time.Second)
	b.pass(2 * time.Second)
	b.serve()
	if got := b.fail(0); !got.Out {
		t.Errorf("the first failure: %+v, want an ejection", got)
	}
}

func TestManyReportAtOnce(t *testing.T) {
	b := newBench(t, rules())
	b.fail(time.Second)
	b.pass(time.Second)
	var wg sync.WaitGroup
	var mu sync.Mutex
	trials, back := 0, 0
	for range 100 {
		wg.Go(func() {
			ticket, fits := b.Take(b.now)
			if !fits {
				b.Failure(b.now, ticket, 0)
				return
			}
			ticket, change := b.Answered(b.now, ticket)
			b.Success(b.now, ticket)
			mu.Lock()
			defer mu.Unlock()
			trials++
			if change.Back {
				back++
			}
		})
	}
	wg.Wait()
	if trials < 1 || back != 1 {
		t.Errorf("%d let through, back %d times, want it back once", trials, back)
	}
	if s := b.Status(b.now); s.State != Healthy || s.Reason != "" || s.Left != 0 {
		t.Errorf("status %+v, want it healthy", s)
	}
}

func BenchmarkTakeAndSuccess(b *testing.B) {
	now := time.Now()
	one := New(now, rules())
	b.ReportAllocs()
	for b.Loop() {
		ticket, _ := one.Take(now)
		one.Success(now, ticket)
	}
}
