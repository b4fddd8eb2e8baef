package plugins_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
)

func TestRetryAfterIsRead(t *testing.T) {
	atTen := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		header http.Header
		want   time.Duration
	}{
		{"nothing", http.Header{}, 0},
		{"seconds", http.Header{"Retry-After": {"7"}}, 7 * time.Second},
		{"a fraction of a second", http.Header{"Retry-After": {"0.25"}}, 250 * time.Millisecond},
		{"no time at all", http.Header{"Retry-After": {"0"}}, 0},
		{"negative seconds", http.Header{"Retry-After": {"-7"}}, 0},
		{"no number", http.Header{"Retry-After": {"NaN"}}, 0},
		{"more than can be waited", http.Header{"Retry-After": {"1e300"}}, plugins.Forever},
		{"without end", http.Header{"Retry-After": {"Inf"}}, plugins.Forever},
		{"a word", http.Header{"Retry-After": {"soon"}}, 0},
		{"a date", http.Header{"Retry-After": {"Mon, 23 Nov 2026 10:01:00 GMT"}}, time.Minute},
		{"a date of RFC 850", http.Header{"Retry-After": {"Monday, 23-Nov-26 10:01:00 GMT"}}, time.Minute},
		{"a date that has passed", http.Header{"Retry-After": {"Mon, 23 Nov 2026 09:00:00 GMT"}}, 0},
		{"milliseconds", http.Header{"Retry-After-Ms": {"1500"}}, 1500 * time.Millisecond},
		{"milliseconds before seconds", http.Header{"Retry-After-Ms": {"1500"}, "Retry-After": {"2"}}, 1500 * time.Millisecond},
		{"seconds where the milliseconds make no sense", http.Header{"Retry-After-Ms": {"?"}, "Retry-After": {"2"}}, 2 * time.Second},
		{"never shorter than asked", http.Header{"Retry-After-Ms": {"0.0000001"}}, time.Nanosecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plugins.RetryAfter(tt.header, atTen); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
