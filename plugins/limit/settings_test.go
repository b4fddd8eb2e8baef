package limit

import (
	"strings"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Settings)
		want   []string // parts of the problem; none if the settings are valid
	}{
		{name: "the defaults", change: func(*Settings) {}},
		{name: "no limit at all", change: func(s *Settings) { s.MaxInFlight = 0 }},
		{name: "requests alone", change: with("all", Rule{Per: "global", Requests: 600})},
		{name: "in flight alone", change: with("each_1", Rule{Per: "client", InFlight: 5})},
		{name: "a negative limit", change: func(s *Settings) { s.MaxInFlight = -1 }, want: []string{"max_in_flight: -1 is negative"}},
		{name: "no hint", change: func(s *Settings) { s.Hint = 0 }, want: []string{"hint: 0s is not from 1ms to 1h0m0s"}},
		{name: "a hint of a day", change: func(s *Settings) { s.Hint = 24 * time.Hour }, want: []string{"hint: 24h0m0s"}},
		{name: "per nobody", change: with("all", Rule{Requests: 1}), want: []string{`rules.all.per: "" is not one of global, client, group, model, client+model, header`}},
		{name: "per somebody", change: with("all", Rule{Per: "user", Requests: 1}), want: []string{`rules.all.per: "user" is not one of global, client, group, model, client+model, header`}},
		{name: "nothing is limited", change: with("all", Rule{Per: "global"}), want: []string{"rules.all.requests: the rule limits nothing"}},
		{name: "a period of nothing", change: with("all", Rule{Per: "global", InFlight: 1, Period: time.Second}), want: []string{"rules.all.period: it means nothing"}},
		{name: "a burst of nothing", change: with("all", Rule{Per: "global", InFlight: 1, Burst: 5}), want: []string{"rules.all.burst: it means nothing"}},
		{name: "negative numbers", change: with("all", Rule{Per: "global", Requests: -1, InFlight: -2}), want: []string{"rules.all.requests: -1 is negative", "rules.all.in_flight: -2 is negative"}},
		{name: "a negative period", change: with("all", Rule{Per: "global", Requests: 1, Period: -1}), want: []string{"rules.all.period: -1ns is negative"}},
		{name: "a negative burst", change: with("all", Rule{Per: "global", Requests: 1, Burst: -1}), want: []string{"rules.all.burst: -1 is negative"}},
		{name: "finer than microseconds", change: with("all", Rule{Per: "global", Requests: 15000, Period: time.Second}), want: []string{"rules.all.requests: 15000 in 1s cannot be kept"}},
		{name: "the replica's name", change: with("max_in_flight", Rule{Per: "global", InFlight: 1}), want: []string{`rules: "max_in_flight" is the name`}},
		{name: "a name the environment cannot spell", change: with("a__b", Rule{Per: "global", InFlight: 1}), want: []string{`rules: "a__b" is not a name`}},
		{name: "a name that ends as a separator begins", change: with("a_", Rule{Per: "global", InFlight: 1}), want: []string{`rules: "a_" is not a name`}},
		{name: "a name in capitals", change: with("All", Rule{Per: "global", InFlight: 1}), want: []string{`rules: "All" is not a name`}},
		{
			name: "every problem at once",
			change: func(s *Settings) {
				s.MaxInFlight, s.Hint = -1, -1
				s.Rules = map[string]Rule{"b": {Per: "x", InFlight: 1}, "a": {Per: "y", InFlight: 1}}
			},
			want: []string{"max_in_flight:", "hint:", "rules.a.per:", "rules.b.per:"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Defaults()
			tt.change(&s)
			err := s.Validate()
			if (err == nil) != (len(tt.want) == 0) {
				t.Fatalf("error = %v, want %q", err, tt.want)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error = %q, which lacks %q", err, part)
				}
			}
		})
	}
}
