package limit

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/holysheep/relay/internal/failover"
	"github.com/holysheep/relay/internal/ledger"
)

var _ failover.Observer = (*watch)(nil)

// A watch is what one store tells the metrics. After a reload there can be two
// for as long as requests of the old generation go on: what is told of the state
// of the store is that of the current one, and what waits is that of both.
type watch struct {
	*storeMetrics
	waits atomic.Int64 // settlements, as this store last told
	lives atomic.Int64 // replicas
	fails atomic.Bool  // whether it is taken for down
}

// show has the metrics speak of this store.
func (w *watch) show() {
	w.current.Store(w)
	w.tell()
}

// tell tells the state of the store, if it is the current one.
func (w *watch) tell() {
	if w.current.Load() != w {
		return
	}
	w.replicas.Set(float64(w.lives.Load()))
	if w.fails.Load() {
		w.down.Set(1)
	} else {
		w.down.Set(0)
	}
}

// end takes back what the store has told of itself, which is closed.
func (w *watch) end() {
	w.Backlog(0)
	w.lives.Store(0)
	w.fails.Store(false)
	w.tell()
	w.current.CompareAndSwap(w, nil)
}

// Asked implements [failover.Observer].
func (w *watch) Asked(op string, took time.Duration, err error) {
	outcome := "done"
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		outcome = "late"
	case err != nil:
		outcome = "error"
	}
	w.seconds.WithLabelValues(op, outcome).Observe(took.Seconds())
}

// Changed implements [failover.Observer].
func (w *watch) Changed(mode ledger.Mode) {
	w.changes.WithLabelValues(mode.String()).Inc()
	w.fails.Store(mode != ledger.ModeShared)
	w.tell()
}

// Backlog implements [failover.Observer].
func (w *watch) Backlog(n int) {
	w.waiting.Add(float64(int64(n) - w.waits.Swap(int64(n))))
}

// Dropped implements [failover.Observer].
func (w *watch) Dropped(n int) { w.dropped.Add(float64(n)) }

// HandedOver implements [failover.Observer].
func (w *watch) HandedOver(n int) { w.handedOver.Add(float64(n)) }

// Live implements [failover.Observer].
func (w *watch) Live(n int) {
	w.lives.Store(int64(n))
	w.tell()
}
