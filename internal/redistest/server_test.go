package redistest

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func set(t *testing.T, c redis.UniversalClient, key, value string) {
	t.Helper()
	if err := c.Set(bounded(t), key, value, 0).Err(); err != nil {
		t.Fatal(err)
	}
}

func wantKey(t *testing.T, c redis.UniversalClient, key, want string) {
	t.Helper()
	got, err := c.Get(bounded(t), key).Result()
	if err != nil && !errors.Is(err, redis.Nil) || got != want {
		t.Errorf("%s = %q, %v, want %q", key, got, err, want)
	}
}

func TestARestart(t *testing.T) {
	tests := []struct {
		name string
		args []string
		end  func(*Server)
		want string
	}{
		{name: "a killed server comes back empty", end: (*Server).Kill},
		{name: "a stopped server comes back empty", end: (*Server).Stop},
		{name: "one that runs comes back empty", end: func(*Server) {}},
		{name: "one that appends has its data", args: []string{"--appendonly", "yes"}, end: (*Server).Kill, want: "v"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Start(t, tt.args...)
			addr := s.Addr()
			set(t, s.Client(), "k", "v")
			tt.end(s)
			s.Restart()
			if s.Addr() != addr {
				t.Errorf("it listens on %s, before on %s", s.Addr(), addr)
			}
			wantKey(t, s.Client(), "k", tt.want)
		})
	}
}

// late reports whether err is that no answer came in time, as the context or
// the connection tells it.
func late(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

func TestAKilledServerIsGone(t *testing.T) {
	s := Start(t)
	s.Kill()
	if conn, err := net.Dial("tcp", s.Addr()); err == nil {
		_ = conn.Close()
		t.Error("somebody listens still")
	}
}

func TestAPausedServerAnswersNothing(t *testing.T) {
	s := Start(t)
	c := s.Client()
	set(t, c, "k", "v")
	s.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Get(ctx, "k").Err(); !late(err) {
		t.Errorf("got %v from a paused server, want that it is too late", err)
	}
	s.Resume()
	wantKey(t, c, "k", "v")
}

func TestAUserMayWhatItsRulesSay(t *testing.T) {
	s := Start(t)
	s.AddUser("reader", "secret", "~*", "+get")
	c := s.ClientOf("reader", "secret")
	wantKey(t, c, "k", "")
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err == nil {
		t.Error("a reader has written")
	}
	if err := s.ClientOf("reader", "wrong").Ping(t.Context()).Err(); err == nil {
		t.Error("a wrong password was taken")
	}
}

func TestAPasswordIsAsked(t *testing.T) {
	s := Start(t, "--requirepass", "secret")
	set(t, s.Client(), "k", "v")
	if err := s.ClientOf("", "").Ping(t.Context()).Err(); err == nil {
		t.Error("somebody came in without the password")
	}
}

func TestTLS(t *testing.T) {
	s := StartTLS(t)
	set(t, s.Client(), "k", "v")
	plain := redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1})
	defer func() { _ = plain.Close() }()
	if err := plain.Ping(t.Context()).Err(); err == nil {
		t.Error("somebody came in without TLS")
	}
	config := s.TLS().Config(t)
	config.Certificates = nil
	nobody := redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1, TLSConfig: config})
	defer func() { _ = nobody.Close() }()
	if err := nobody.Ping(t.Context()).Err(); err == nil {
		t.Error("somebody came in without a certificate")
	}
}
