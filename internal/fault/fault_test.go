package fault

import (
	"errors"
	"testing"
	"time"
)

func TestProblems(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"one of them", OneOf("scope", "a", "a", "b"), ""},
		{"none of them", OneOf("scope", "c", "a", "b"), `scope: "c" is not one of a, b`},
		{"within", Within("wait", time.Second, time.Second, time.Second), ""},
		{"below", Within("wait", 0, time.Second, time.Minute), "wait: 0s is not from 1s to 1m0s"},
		{"above", Within("wait", time.Hour, time.Second, time.Minute), "wait: 1h0m0s is not from 1s to 1m0s"},
		{"zero", Negative("ttl", 0), ""},
		{"negative", Negative("ttl", -time.Second), "ttl: -1s is negative"},
		{"nothing", Under("rules.a", errors.Join(nil, nil)), ""},
		{"several", Under("rules.a", errors.Join(errors.New("x: 1"), errors.New("y: 2"))), "rules.a.x: 1\nrules.a.y: 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if tt.err != nil {
				got = tt.err.Error()
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
