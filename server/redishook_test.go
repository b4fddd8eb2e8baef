package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/redistest"
)

func TestTheFaultsOfRedis(t *testing.T) {
	s := redistest.Start(t)
	c := s.Client()
	ctx := patient(t)
	if err := c.Set(ctx, "text", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"none", c.Get(ctx, "text").Err(), ""},
		{"nothing is stored", c.Get(ctx, "none").Err(), ""},
		{"a script has to be sent", c.EvalSha(ctx, "0123456789012345678901234567890123456789", nil).Err(), ""},
		{"nobody waits any more", c.Get(gone, "text").Err(), ""},
		{"the wrong kind of value", c.HGet(ctx, "text", "a").Err(), "reply"},
		{"a script that fails", c.Eval(ctx, "return redis.call('HGET', KEYS[1], 'a')", []string{"text"}).Err(), "reply"},
		{"a deadline", fmt.Errorf("reading: %w", context.DeadlineExceeded), "timeout"},
		{"no free connection", fmt.Errorf("waiting: %w", redis.ErrPoolTimeout), "pool"},
		{"a connection that ended", io.EOF, "connection"},
	}
	for _, tt := range tests {
		if got := redisFault(tt.err); got != tt.want {
			t.Errorf("%s: %v is of kind %q, want %q", tt.name, tt.err, got, tt.want)
		}
	}
	s.Kill()
	if err := c.Get(ctx, "text").Err(); redisFault(err) != "connection" || errors.Is(err, redis.Nil) {
		t.Errorf("a dead server: %v is of kind %q, want connection", err, redisFault(err))
	}
}
