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
		{"a share alone", func(s *Settings) { s.Budget.PerSecond = 0 }, ""},
		{"a floor alone", func(s *Settings) { s.Budget.Percent = 0 }, ""},
		{"no budget", func(s *Settings) { s.Budget = Budget{} }, "budget.per_second: 0 beside a percent of 0 asks nothing again: for that set attempts to 1"},
		{"the largest budget", func(s *Settings) { s.Budget = Budget{1000, 1_000_000} }, ""},
		{"too large a share", func(s *Settings) { s.Budget.Percent = 1001 }, "budget.percent: 1001 is not from 0 to 1000"},
		{"a negative share", func(s *Settings) { s.Budget.Percent = -1 }, "budget.percent: -1 is not from 0 to 1000"},
		{"too high a floor", func(s *Settings) { s.Budget.PerSecond = 1_000_001 }, "budget.per_second: 1000001 is not from 0 to 1000000"},
		{"a hedge", func(s *Settings) { s.Hedge.Endpoints = []string{"/v1/embeddings", "/v1/rerank"} }, ""},
		{"a hedge of no path", func(s *Settings) { s.Hedge.Endpoints = []string{"embeddings"} }, `hedge.endpoints: "embeddings" is not a path such as /v1/embeddings`},
		{"a hedge of a pattern", func(s *Settings) { s.Hedge.Endpoints = []string{"/v1/*"} }, `hedge.endpoints: "/v1/*" is not a path such as /v1/embeddings`},
		{"a hedge at once", func(s *Settings) { s.Hedge.Percentile, s.Hedge.Least = 0, 0 }, "hedge.percentile: 0 is not from 1 to 99"},
		{"a hedge after all", func(s *Settings) { s.Hedge.Percentile = 100 }, "hedge.percentile: 100 is not from 1 to 99"},
		{"a hedge before the request", func(s *Settings) { s.Hedge.Least = -1 }, "hedge.least: -1ns is negative"},
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
