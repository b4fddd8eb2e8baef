package redisledger

import (
	"testing"
	"time"
)

func TestAClockIsNeverAheadOfRedis(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name string
		// An answer that was sent and came at these times and held this time
		// of Redis, in microseconds.
		sent, came time.Duration
		redis      int64
		want       int64 // how far Redis is ahead, less a microsecond at most
	}{
		{"the first answer took 10ms", 0, 10 * ms, 1_000_009_000, 999_999_000},
		{"a slower one says nothing more", 20 * ms, 60 * ms, 1_000_040_000, 999_999_000},
		{"a faster one does", 100 * ms, 101 * ms, 1_000_100_500, 999_999_500},
		{"Redis's clock has gone on", 200 * ms, 202 * ms, 5_000_201_000, 4_999_999_000},
		{"Redis's clock has gone back", 300 * ms, 304 * ms, 1_000_301_000, 999_997_000},
	}
	var c clock
	if got := c.latest(time.Hour); got != 1 {
		t.Errorf("a clock that knows nothing says %d", got)
	}
	for _, tt := range tests {
		c.learn(tt.redis, tt.sent, tt.came)
		if got := c.latest(0); got != tt.want-1 {
			t.Errorf("%s: Redis is ahead by %d, want %d", tt.name, got, tt.want-1)
		}
	}
}
