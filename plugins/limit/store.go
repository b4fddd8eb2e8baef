package limit

import (
	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/plugins"
)

// A store is where requests are decided on. All generations with the same store
// share it.
type store struct {
	ledger.Ledger
	memory *ledger.Memory // nil where replicas share a Redis
}

// newStore returns the store of s.
func newStore(_ Settings, env plugins.Env, _ *metrics) (store, error) {
	memory, err := plugins.Keep(env, "ledger.memory", func() (*ledger.Memory, error) { return ledger.NewMemory(env.Now), nil })
	if err != nil {
		return store{}, err
	}
	return store{Ledger: ledger.Alone(memory), memory: memory}, nil
}
