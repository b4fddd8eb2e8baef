package budget

import (
	"testing"
	"time"
)

// A clock is a time that a test sets.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{at: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }

// take takes n retries and sends those that it gets, whose number it returns.
func take(b *Budget, n int) (taken int) {
	for range n {
		if b.Take() {
			b.Spend()
			taken++
		}
	}
	return taken
}

func request(b *Budget, n int) {
	for range n {
		b.Request()
	}
}

func TestHowManyAreAllowed(t *testing.T) {
	tests := []struct {
		name               string
		percent, perSecond int
		requests           int
		want               int
	}{
		{"the share of the requests", 20, 0, 1000, 200},
		{"a share that is no whole number is not exceeded", 20, 0, 9, 1},
		{"without a request, the floor", 20, 10, 0, 100},
		{"below the floor, the floor", 20, 10, 499, 100},
		{"above the floor, the share", 20, 10, 505, 101},
		{"without a share, the floor", 0, 1, 1000, 10},
		{"more than one for each", 300, 0, 10, 30},
		{"none", 0, 0, 1000, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := New(tt.percent, tt.perSecond, 10*time.Second, newClock().now)
			request(b, tt.requests)
			if got := b.Left(); got != int64(tt.want) {
				t.Errorf("%d are left, want %d", got, tt.want)
			}
			if got := take(b, 10_000); got != tt.want {
				t.Errorf("took %d, want %d", got, tt.want)
			}
			if got := b.Left(); got != 0 {
				t.Errorf("then %d are left, want none", got)
			}
		})
	}
}

func TestTheWindowSlides(t *testing.T) {
	tests := []struct {
		name  string
		after time.Duration
		more  int // requests
		want  int
	}{
		{"at once all are taken", 50 * time.Millisecond, 0, 0},
		{"requests of the window still count", 9999 * time.Millisecond, 10, 2},
		{"they go first, while the retries may be in it", 10 * time.Second, 10, 0},
		{"and still may", 10099 * time.Millisecond, 10, 0},
		{"then the retries go too", 10100 * time.Millisecond, 10, 2},
		{"long after nothing of it is left", time.Hour, 10, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			b := New(20, 0, 10*time.Second, c.now)
			request(b, 100)
			c.advance(50 * time.Millisecond)
			if got := take(b, 100); got != 20 {
				t.Fatalf("took %d of 100 requests, want 20", got)
			}
			c.advance(tt.after - 50*time.Millisecond)
			request(b, tt.more)
			if got := take(b, 100); got != tt.want {
				t.Errorf("took %d, want %d", got, tt.want)
			}
		})
	}
}

func TestARetryThatWaitsIsHeld(t *testing.T) {
	c := newClock()
	b := New(0, 1, 10*time.Second, c.now)
	for range 10 {
		if !b.Take() {
			t.Fatal("none is left, want 10")
		}
	}
	c.advance(time.Hour)
	if b.Take() {
		t.Error("took an eleventh while ten wait")
	}
	b.Spend()
	c.advance(9 * time.Second)
	if b.Take() {
		t.Error("took one in the window in which one was sent and nine wait")
	}
	b.Drop()
	if !b.Take() {
		t.Error("took none in place of one that will not be sent")
	}
}

func TestARetryThatSentNothingIsNotCounted(t *testing.T) {
	c := newClock()
	b := New(0, 1, 10*time.Second, c.now)
	take(b, 9)
	b.Take()
	sent := b.Spend()
	c.advance(10 * time.Second)
	b.Refund(sent)
	if got := b.Left(); got != 1 {
		t.Errorf("%d are left, want the one that was given back", got)
	}
	c.advance(time.Second)
	if got := b.Left(); got != 10 {
		t.Errorf("a window later %d are left, want 10", got)
	}
	b.Refund(sent)
	if got := b.Left(); got != 10 {
		t.Errorf("%d are left when one is given back too late, want 10 still", got)
	}
}

func TestNumbersChangeAtOnce(t *testing.T) {
	b := New(20, 0, 10*time.Second, newClock().now)
	request(b, 100)
	take(b, 20)
	b.Set(30, 0)
	if got := b.Left(); got != 10 {
		t.Errorf("%d are left of 30, want 10", got)
	}
	b.Set(0, 1)
	if got := b.Left(); got != 0 || b.Take() {
		t.Errorf("%d are left of 10 where 20 have been sent, want none", got)
	}
}

func TestAClockThatIsPutBackStandsStill(t *testing.T) {
	c := newClock()
	b := New(0, 1, 10*time.Second, c.now)
	c.advance(time.Minute)
	take(b, 10)
	c.advance(-30 * time.Second)
	if b.Take() {
		t.Error("took one more when the clock was put back")
	}
	c.advance(30*time.Second + 10*time.Second + 100*time.Millisecond)
	if got := b.Left(); got != 10 {
		t.Errorf("%d are left a window after the clock has caught up, want 10", got)
	}
}
