package limit

import (
	"testing"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/plugins/plugintest"
)

// A store that a reload has replaced, since its Redis is gone, says nothing of
// the one that took its place.
func TestMetricsOfTwoStores(t *testing.T) {
	env := plugintest.Env(t, nil)
	m := newMetrics(env.Metrics)
	told := func(what string, down, replicas, waiting float64) {
		t.Helper()
		for name, want := range map[string]float64{
			"relay_limit_store_down": down, "relay_limit_replicas": replicas, "relay_limit_settlements_waiting": waiting,
		} {
			if got := value(t, env, name, nil); got != want {
				t.Errorf("%s: %s is %g, want %g", what, name, got, want)
			}
		}
	}
	before, after := &watch{storeMetrics: &m.store}, &watch{storeMetrics: &m.store}
	before.show()
	before.Live(4)
	before.Backlog(5)
	before.Changed(ledger.ModeLocal)
	told("one store, which is down", 1, 4, 5)
	after.show()
	after.Live(3)
	after.Backlog(2)
	before.Live(7)
	told("beside one that is up", 0, 3, 7)
	before.Changed(ledger.ModeShared)
	before.Changed(ledger.ModeLocal)
	before.show()
	told("it is the current one again", 1, 7, 7)
	after.show()
	before.end()
	told("it has ended", 0, 3, 2)
	after.Changed(ledger.ModeLocal)
	after.end()
	told("both have", 0, 0, 0)
}
