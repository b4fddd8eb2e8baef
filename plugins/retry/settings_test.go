package retry

import (
	"testing"
	"time"
)

func TestSettingsAreChecked(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Settings)
		want   string // "" if they are valid
	}{
		{"the defaults", func(*Settings) {}, ""},
		{"no attempt", func(s *Settings) { s.Attempts = 0 }, "attempts: 0 is not from 1 to 10"},
		{"one attempt", func(s *Settings) { s.Attempts = 1 }, ""},
		{"ten attempts", func(s *Settings) { s.Attempts = 10 }, ""},
		{"eleven attempts", func(s *Settings) { s.Attempts = 11 }, "attempts: 11 is not from 1 to 10"},
		{"no wait", func(s *Settings) { s.Wait, s.MaxWait = 0, 0 }, ""},
		{"a wait in the past", func(s *Settings) { s.Wait = -time.Second }, "wait: -1s is negative"},
		{"an end before the beginning", func(s *Settings) { s.MaxWait = time.Millisecond }, "max_wait: 1ms is below wait, 100ms"},
		{"no Retry-After", func(s *Settings) { s.MaxRetryAfter = 0 }, ""},
		{"a Retry-After in the past", func(s *Settings) { s.MaxRetryAfter = -1 }, "max_retry_after: -1ns is negative"},
		{"no status", func(s *Settings) { s.Statuses = nil }, ""},
		{"a good status", func(s *Settings) { s.Statuses = []int{200, 503} }, "statuses: 200 is not from 400 to 599"},
		{"a status of no class", func(s *Settings) { s.Statuses = []int{600} }, "statuses: 600 is not from 400 to 599"},
		{
			"every problem at once", func(s *Settings) { s.Attempts, s.MaxWait = 99, 0 },
			"attempts: 99 is not from 1 to 10\nmax_wait: 0s is below wait, 100ms",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Defaults()
			tt.change(&s)
			got := ""
			if err := s.Validate(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDefaultsAreFresh(t *testing.T) {
	Defaults().Statuses[0] = 1
	if err := Defaults().Validate(); err != nil {
		t.Errorf("the defaults share their list: %v", err)
	}
}
