package limit

import (
	"net/http"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/failover"
	"github.com/holysheep/relay/internal/redistest"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestRedisComesAndGoesUnderOpenStreams reloads a configuration without Redis to
// one with it and back, while an answer of each is open: each is settled where
// it began, and nowhere else.
func TestRedisComesAndGoesUnderOpenStreams(t *testing.T) {
	shared := inRedis(t, redistest.Start(t))
	alone := shared
	alone.Redis = nil
	change := patient(with("each", Rule{Per: perClient, Tokens: Tokens{Limit: 1000, Period: time.Hour}, InFlight: 5}))
	begin := func(env plugins.Env) (*limiter, *http.Response) {
		l := limits(t, env, change)
		res, err := l.through(using("eight", 200, reported(10, 40))).RoundTrip(asks(t, "ada", "", settled))
		if err != nil {
			t.Fatal(err)
		}
		return l, res
	}
	memory, first := begin(alone)
	redis, second := begin(shared)
	again, third := begin(alone)
	stands := func(l *limiter, tokens, flights int64) func() bool {
		return func() bool {
			left := l.left(t, asker{client: "ada"})
			return left["each.tokens"] == tokens && left["each.in_flight"] == flights
		}
	}
	if !stands(memory, 800, 3)() || !stands(again, 800, 3)() || !stands(redis, 900, 4)() {
		t.Errorf("left: %v in memory, %v in Redis", memory.left(t, asker{client: "ada"}), redis.left(t, asker{client: "ada"}))
	}
	for _, res := range []*http.Response{first, second, third} {
		_ = res.Body.Close()
	}
	if !stands(again, 900, 5)() {
		t.Errorf("left in memory: %v", again.left(t, asker{client: "ada"}))
	}
	eventually(t, "the settlement in Redis", stands(redis, 950, 5))
}

// TestAnotherDeadlineInAnOutage reloads with all that can change of the store
// while Redis is away: the replica goes on by what is left of its share.
func TestAnotherDeadlineInAnOutage(t *testing.T) {
	server := redistest.Start(t)
	env := inRedis(t, server)
	rule := with("each", Rule{Per: perClient, Requests: 6, Period: time.Hour})
	before := limits(t, env, func(s *Settings) {
		patient(rule)(s)
		s.Store.Replicas = 1 // so that a share needs one beat only
	})
	eventually(t, "a beat", func() bool { return value(t, env, "relay_limit_replicas", nil) == 1 })
	pass := func(l *limiter, mode, remaining string) {
		t.Helper()
		req := asks(t, "ada", "", `{}`)
		err := to(l.through(plugintest.Answers(200)), req)
		call := plugins.CallOf(req.Context())
		if got, left := call.Header(modeHeader), call.Header("X-Ratelimit-Remaining-Requests"); err != nil || got != mode || left != remaining {
			t.Errorf("error %v by mode %q, %q are left, want %q and %q", err, got, left, mode, remaining)
		}
	}
	pass(before, "shared", "5")
	server.Kill()
	pass(before, "local", "4")
	pass(before, "local", "3")
	after := limits(t, env, func(s *Settings) {
		rule(s)
		s.Store = Store{Deadline: time.Second, Failures: 7, Lease: time.Minute, Replicas: 1, Shard: shardNone}
	})
	checked := Defaults()
	rule(&checked)
	checked.Store.Replicas = 6
	if _, err := newLimiter(checked, env); err != nil { // it does not start, and divides nothing
		t.Fatal(err)
	}
	pass(after, "local", "2")
	pass(before, "local", "1") // of the old generation
	server.Restart()
	eventually(t, "the handover", func() bool { return after.left(t, asker{client: "ada"})["each.requests"] == 1 && !after.down() })
	pass(after, "shared", "0")
}

func (l *limiter) down() bool { return l.ledger.begin().(*failover.Ledger).Down() }
