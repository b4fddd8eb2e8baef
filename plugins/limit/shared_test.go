package limit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/redistest"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// inRedis returns an environment whose replicas share the server, and that ends
// with the test.
func inRedis(t testing.TB, server *redistest.Server) plugins.Env {
	t.Helper()
	env := priced(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	env.Redis, env.RedisPrefix = client, "test:"
	keep := env.Keep
	env.Keep = func(key string, create func() (any, error)) (any, error) {
		return keep(key, func() (any, error) {
			v, err := create()
			if s, ok := v.(*store); ok {
				t.Cleanup(func() { _ = s.Close() })
			}
			return v, err
		})
	}
	return env
}

// patient has a busy machine be no fault of Redis.
func patient(change func(*Settings)) func(*Settings) {
	return func(s *Settings) {
		s.Store.Deadline = 5 * time.Second
		change(s)
	}
}

// eventually waits for what happens off the path of requests.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// TestReplicasShareWhatTheyLetThrough has 40 goroutines ask three replicas.
func TestReplicasShareWhatTheyLetThrough(t *testing.T) {
	server := redistest.Start(t)
	upstream := plugintest.Answers(200)
	var replicas []*limiter
	for range 3 {
		replicas = append(replicas, limits(t, inRedis(t, server), patient(with("each", Rule{Per: perClient, Requests: 25, Period: time.Hour}))))
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() { _ = to(replicas[i%3].through(upstream), asks(t, "ada", "", `{}`)) })
	}
	wg.Wait()
	if got := upstream.Asked(); got != 25 {
		t.Errorf("%d were let through, want 25", got)
	}
	req := asks(t, "bob", "", `{}`)
	if err := to(replicas[0].through(upstream), req); err != nil {
		t.Errorf("another client is refused: %v", err)
	}
	if got := plugins.CallOf(req.Context()).Header(modeHeader); got != "shared" {
		t.Errorf("mode = %q, want shared", got)
	}
}

// TestSettlementReachesRedis reads with one replica what another has settled.
func TestSettlementReachesRedis(t *testing.T) {
	server := redistest.Start(t)
	l, other := limits(t, inRedis(t, server), patient(settling)), limits(t, inRedis(t, server), patient(settling))
	if err := to(l.through(using("eight", 200, reported(7, 13))), asks(t, "ada", "", settled)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the settlement", func() bool {
		left := other.left(t, asker{client: "ada"})
		return left["each.tokens"] == 980 && left["each.in_flight"] == 5 && left["each.budget"] == money(0.00016) && left["each.requests"] == 9
	})
}

// TestKeysCanBeFoundByName looks a client's key up as the README says, and for
// the name in clear.
func TestKeysCanBeFoundByName(t *testing.T) {
	server := redistest.Start(t)
	env := inRedis(t, server)
	l := limits(t, env, patient(with("each", Rule{Per: perClient, Requests: 25, Period: time.Hour, InFlight: 3})))
	if _, err := l.through(plugintest.Answers(200)).RoundTrip(asks(t, "ada", "", `{}`)); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("ada"))
	for _, kind := range []string{"requests", "in_flight"} {
		key := "test:limit:{limit}:each.client." + kind + ":" + hex.EncodeToString(sum[:])[:24]
		if n, err := env.Redis.Exists(t.Context(), key).Result(); n != 1 || err != nil {
			t.Errorf("%s: exists %d, %v", key, n, err)
		}
	}
	keys, _ := env.Redis.Keys(t.Context(), "*").Result()
	for _, key := range keys {
		if strings.Contains(key, "ada") {
			t.Errorf("%s holds the client's name", key)
		}
	}
}

// TestWithoutRedisEachRuleDoesAsItSays kills Redis.
func TestWithoutRedisEachRuleDoesAsItSays(t *testing.T) {
	tests := []struct {
		down, mode string
		passed     int // of three requests
		code       string
	}{
		{downOpen, "open", 3, ""},
		{downClosed, "closed", 0, "limits_unavailable"},
		{downLocal, "local", 2, "rate_limit_exceeded"},
	}
	for _, tt := range tests {
		t.Run(tt.down, func(t *testing.T) {
			server := redistest.Start(t)
			env := inRedis(t, server)
			l := limits(t, env, patient(func(s *Settings) {
				s.Store.Replicas = 1 // so that a share needs one beat only
				s.Rules = map[string]Rule{"each": {Per: perClient, Requests: 3, Period: time.Hour, OnStoreDown: tt.down}}
			}))
			eventually(t, "a beat", func() bool { return value(t, env, "relay_limit_replicas", nil) == 1 })
			rt := l.through(plugintest.Answers(200))
			if err := to(rt, asks(t, "ada", "", `{}`)); err != nil {
				t.Fatal(err)
			}
			server.Kill()
			passed, last, mode := 0, "", ""
			for range 3 {
				req := asks(t, "ada", "", `{}`)
				if last = code(t, to(rt, req)); last == "" {
					passed++
				}
				mode = plugins.CallOf(req.Context()).Header(modeHeader)
			}
			if passed != tt.passed || last != tt.code || mode != tt.mode {
				t.Errorf("%d passed, the last got %q by mode %q, want %d, %q and %q", passed, last, mode, tt.passed, tt.code, tt.mode)
			}
			if got := value(t, env, "relay_limit_decisions_total", map[string]string{"rule": "each", "decision": "limits_unavailable"}); tt.down == downClosed && got != 3 {
				t.Errorf("%g decisions are limits_unavailable, want 3", got)
			}
		})
	}
}

// TestAnotherStoreByReload has a stream that began under one store end under
// another: the first one gets it back.
func TestAnotherStoreByReload(t *testing.T) {
	server := redistest.Start(t)
	env := inRedis(t, server)
	rule := with("each", Rule{Per: perClient, InFlight: 2})
	before := limits(t, env, patient(rule))
	res, err := before.through(plugintest.Answers(200)).RoundTrip(asks(t, "ada", "", `{}`))
	if err != nil {
		t.Fatal(err)
	}
	other := env
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	other.Redis = client
	after := limits(t, other, patient(rule))
	if before.ledger == after.ledger || before.ledger != limits(t, env, patient(rule)).ledger {
		t.Error("the store does not go by its client")
	}
	prefixed := env
	prefixed.RedisPrefix = "other:"
	if limits(t, prefixed, patient(rule)).ledger == before.ledger {
		t.Error("the store does not go by its prefix")
	}
	if limits(t, env, func(s *Settings) { patient(rule)(s); s.Store.Shard = shardClient }).ledger == before.ledger {
		t.Error("the store does not go by its shard")
	}
	if got := after.left(t, asker{client: "ada"})["each.in_flight"]; got != 1 {
		t.Errorf("%d slots are left, want 1: both count in one Redis", got)
	}
	_ = res.Body.Close()
	eventually(t, "the slot", func() bool { return after.left(t, asker{client: "ada"})["each.in_flight"] == 2 })
}

// TestOnlyAStartAsksRedis builds a link as a check of the configuration does,
// and closes it.
func TestOnlyAStartAsksRedis(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan error)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	env := priced(t)
	client := redis.NewClient(&redis.Options{Addr: l.Addr().String(), MaxRetries: -1})
	defer func() { _ = client.Close() }()
	env.Redis = client
	var kept []*store
	keep := env.Keep
	env.Keep = func(key string, create func() (any, error)) (any, error) {
		v, err := keep(key, create)
		if s, ok := v.(*store); ok {
			kept = append(kept, s)
		}
		return v, err
	}
	s := Defaults()
	with("each", Rule{Per: perClient, Requests: 1})(&s)
	link, err := New(s, env)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(link.Close(t.Context()), kept[0].Close()); err != nil {
		t.Error(err)
	}
	_ = l.Close()
	if err := <-accepted; err == nil {
		t.Error("Redis was asked")
	}
}
