package charttests

import (
	"strings"
	"testing"
)

func TestGracePeriod(t *testing.T) {
	tests := []struct {
		name, values string
		want         int64
	}{
		{"default", "", 15 + 300 + 5},
		{"compound durations", "config: {drain_delay: 1m30s, drain: 1h0.5m}", 90 + 3630 + 5},
		{"rounded up", "config: {drain_delay: 1ns, drain: 1s}", 7},
		{"nothing to wait for", "config: {drain_delay: 0s, drain: 0}", 5},
		{"more than is needed", "terminationGracePeriodSeconds: 900", 900},
		{"just what is needed", "terminationGracePeriodSeconds: 320", 320},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := *deployment(t, tt.values).Spec.Template.Spec.TerminationGracePeriodSeconds; got != tt.want {
				t.Errorf("terminationGracePeriodSeconds = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestGracePeriodTooShort(t *testing.T) {
	got := renderError(t, "terminationGracePeriodSeconds: 319")
	if want := "terminationGracePeriodSeconds: 319 is less than 320"; !strings.Contains(got, want) {
		t.Errorf("error = %q, want %q in it", got, want)
	}
}
