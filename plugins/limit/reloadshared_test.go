package limit

import (
	"net/http"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/redistest"
	"github.com/holysheep/relay/plugins"
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
