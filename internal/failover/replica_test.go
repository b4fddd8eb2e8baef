package failover

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// A replica is a ledger and what it tells its observer.
type replica struct {
	*Ledger
	seen *watcher
}

// start starts n replicas of one store, with names in the order of the
// alphabet, and lets them live for a minute.
func start(t *testing.T, s *store, n int, opts Options) []replica {
	t.Helper()
	all := make([]replica, n)
	for i := range all {
		all[i] = join(t, s, fmt.Sprintf("r%02d", i), opts)
	}
	time.Sleep(time.Minute) // of the bubble
	return all
}

func join(t testing.TB, s *store, name string, opts Options) replica {
	t.Helper()
	w := &watcher{}
	opts.Observer = w
	r := replica{Ledger: New(door{store: s, name: name}, opts), seen: w}
	if _, drawn := t.(*testing.T); drawn {
		t.Cleanup(func() { _ = r.Close(context.Background()) })
	}
	return r
}

// A watcher remembers what it was told.
type watcher struct {
	mu sync.Mutex
	told
}

type told struct {
	modes                                 []ledger.Mode
	backlog, dropped, handed, live, asked int
}

// told returns what the replica's observer was told, once nothing goes on.
func (r replica) told() told {
	synctest.Wait()
	defer r.seen.lock()()
	return r.seen.told
}

func (w *watcher) lock() func() { w.mu.Lock(); return w.mu.Unlock }

func (w *watcher) Asked(string, time.Duration, error) { defer w.lock()(); w.asked++ }
func (w *watcher) Changed(m ledger.Mode)              { defer w.lock()(); w.modes = append(w.modes, m) }
func (w *watcher) Backlog(n int)                      { defer w.lock()(); w.backlog = n }
func (w *watcher) Dropped(n int)                      { defer w.lock()(); w.dropped += n }
func (w *watcher) HandedOver(n int)                   { defer w.lock()(); w.handed += n }
func (w *watcher) Live(n int)                         { defer w.lock()(); w.live = n }
