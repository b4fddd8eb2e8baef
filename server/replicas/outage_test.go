package replicas

import (
	"testing"
	"time"

	"github.com/holysheep/relay/internal/redistest"
)

// While Redis is away each of four relays holds its share, so that together
// they let through what the limit is, and one that is born then nothing.
func TestSharesOfALimit(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	up := serve(t, 10*time.Millisecond)
	config := configure(t, aboutRedis(s), up.URL,
		"    store: {deadline: 500ms}\n    rules:\n      all: {per: global, requests: 42, period: 1s, burst: 42, in_flight: 10}\n")
	relays := spawn(t, 4, config)
	time.Sleep(10 * time.Second) // until all know each other: see failover
	s.Kill()
	ask := load{relays: relays, connections: 32, body: question, think: 5 * time.Millisecond}
	ask.run(t.Context(), t, 2*time.Second) // the first boundary
	time.Sleep(2 * time.Second)            // all shares are whole again
	up.forget()
	const took = 8 * time.Second
	all := ask.run(t.Context(), t, took)
	t.Log(tally(all))
	only(t, all, "200", "429 rate_limit_exceeded", "429 concurrency_exceeded")
	exact(t, "four shares", passed(all, ""), 42, time.Second/42)
	// Now and then all slots of a share are held when its rate has room, on a slow
	// machine more often. Without the share of one relay it would be three quarters.
	if n := len(passed(all, "")); n < 42*9*80/100 {
		t.Errorf("%d passed, less than 80 %% of the limit", n)
	}
	if up.most > 10 {
		t.Errorf("%d were at the upstream, more than 10", up.most)
	}
	late := load{relays: spawn(t, 1, config), connections: 4, body: question, think: 50 * time.Millisecond}.
		run(t.Context(), t, time.Second)
	only(t, late, "429 limits_unavailable") // it was born during the outage
}

// forget sets back what the upstream has seen at most.
func (u *upstream) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.most, u.worst = 0, 0
}
