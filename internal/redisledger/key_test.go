package redisledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/ledger"
)

func TestKeys(t *testing.T) {
	// printf %s alice | sha256sum | cut -c1-24, and printf 'alice\0gpt-5' the same way.
	const alice, aliceGPT = "2bd806c97f0e00af1a1fc332", "3e631968cfc11c54ada809c3"
	tests := []struct {
		name    string
		counter *ledger.Counter
		subject ledger.Subject
		shard   bool
		want    string
	}{
		{"everybody's", tokens, ledger.Subject{}, false, "relay:limit:{limit}:all.tokens"},
		{"a client's", requests, ledger.Subject{A: "alice"}, false, "relay:limit:{limit}:each.requests:" + alice},
		{"everybody's, spread", tokens, ledger.Subject{}, true, "relay:limit:{all}:all.tokens"},
		{"a client's, spread", requests, ledger.Subject{A: "alice"}, true, "relay:limit:{" + alice + "}:each.requests:" + alice},
		{"a client's of a model", requests, ledger.Subject{A: "alice", B: "gpt-5"}, true, "relay:limit:{" + alice + "}:each.requests:" + aliceGPT},
	}
	for _, tt := range tests {
		s := New(nil, Options{Prefix: "relay:", ShardClients: tt.shard})
		if got := s.Key(tt.counter, tt.subject); got != tt.want {
			t.Errorf("%s: the key is %q, want %q", tt.name, got, tt.want)
		}
	}
}

// contents returns every key with all that it holds, as text.
func contents(t *testing.T, c *redis.Client) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, key := range keys(t, c) {
		switch kind := c.Type(t.Context(), key).Val(); kind {
		case "string":
			all[key] = c.Get(t.Context(), key).Val()
		case "hash":
			all[key] = fmt.Sprint(c.HGetAll(t.Context(), key).Val())
		case "zset":
			all[key] = fmt.Sprint(c.ZRangeWithScores(t.Context(), key, 0, -1).Val())
		default:
			t.Errorf("%s is a %s", key, kind)
		}
	}
	return all
}

func TestEveryKeyExpiresAndNoneHoldsAName(t *testing.T) {
	s, client := open(t, Options{})
	tk := everything()
	mustTake(t, s, tk)
	debt := everything()
	mustTake(t, s, debt)
	for i := range debt.Claims {
		debt.Claims[i].Actual *= 3
	}
	mustSettle(t, s, debt)
	raised := everything().Claims
	for i := range raised {
		raised[i].Subject.A, raised[i].Used, raised[i].At = "alice's friend", 3, tk.Claims[i].At
		if raised[i].Counter.Kind == ledger.KindRate {
			raised[i].Used = 50 * second
		}
	}
	if err := s.Raise(t.Context(), raised); err != nil {
		t.Fatal(err)
	}
	if err := s.Renew(t.Context(), []ledger.Held{{Counter: flights, Subject: ledger.Subject{A: "alice", B: "x"}, Leases: []uint64{9}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Beat(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	all := contents(t, client)
	if len(all) != 6+5+1+2 {
		t.Errorf("%d keys: %q", len(all), slices.Sorted(maps.Keys(all)))
	}
	for key, value := range all {
		if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 {
			t.Errorf("%s expires in %s", key, ttl)
		}
		if !strings.HasPrefix(key, "test:limit:{limit}:") || strings.Contains(key+value, "alice") {
			t.Errorf("%s holds %s", key, value)
		}
	}
}

func TestKeysExpireWhenNothingIsTaken(t *testing.T) {
	s, client := open(t, Options{Lease: 20 * time.Second})
	tk := everything()
	mustTake(t, s, tk)
	// Of the rest of a day or month Reset is told; the grace of an hour is more.
	want := []time.Duration{10 * time.Second, 10 * time.Second, 20 * time.Second, time.Hour, time.Hour, 0}
	for i, c := range tk.Claims {
		if c.Counter.Kind == ledger.KindBudget {
			want[i] += time.Duration(c.Reset) * time.Microsecond
		}
		got := client.PTTL(t.Context(), s.Key(c.Counter, c.Subject)).Val()
		if got > want[i]+time.Millisecond || got < want[i]-5*time.Second {
			t.Errorf("the key of %s expires in %s, want %s", c.Counter.Name, got, want[i])
		}
	}
}
