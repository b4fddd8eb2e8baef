package limit

import (
	"testing"

	"github.com/holysheep/relay/internal/redistest"
)

// TestAStoreThatIsLeftIsNotDown takes Redis out of the configuration while it is
// down: no gauge goes on to tell of it.
func TestAStoreThatIsLeftIsNotDown(t *testing.T) {
	server := redistest.Start(t)
	env := inRedis(t, server)
	l := limits(t, env, patient(with("each", Rule{Per: perClient, Requests: 25})))
	gauge := func(name string) float64 { return value(t, env, name, nil) }
	eventually(t, "a replica", func() bool { return gauge("relay_limit_replicas") == 1 })
	server.Stop()
	eventually(t, "the outage", func() bool {
		_ = to(l.through(using("eight", 200, reported(1, 1))), asks(t, "ada", "", settled))
		return gauge("relay_limit_store_down") == 1
	})
	if err := l.ledger.Close(); err != nil {
		t.Log(err) // what waits cannot be settled
	}
	if down, replicas := gauge("relay_limit_store_down"), gauge("relay_limit_replicas"); down != 0 || replicas != 0 {
		t.Errorf("down = %g, replicas = %g, want 0", down, replicas)
	}
}
