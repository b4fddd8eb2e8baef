package limit

import (
	"context"
	"errors"
	"time"

	"github.com/holysheep/relay/internal/failover"
	"github.com/holysheep/relay/internal/ledger"
)

var _ failover.Observer = (*storeMetrics)(nil)

// closed says that a shared store is left. Once all are nobody shares anything,
// and nothing is down.
func (m *storeMetrics) closed() {
	if m.open.Add(-1) == 0 {
		m.down.Set(0)
		m.waiting.Set(0)
		m.replicas.Set(0)
	}
}

// Asked implements [failover.Observer].
func (m *storeMetrics) Asked(op string, took time.Duration, err error) {
	outcome := "done"
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		outcome = "late"
	case err != nil:
		outcome = "error"
	}
	m.seconds.WithLabelValues(op, outcome).Observe(took.Seconds())
}

// Changed implements [failover.Observer].
func (m *storeMetrics) Changed(mode ledger.Mode) {
	m.changes.WithLabelValues(mode.String()).Inc()
	if mode == ledger.ModeShared {
		m.down.Set(0)
	} else {
		m.down.Set(1)
	}
}

// Backlog implements [failover.Observer].
func (m *storeMetrics) Backlog(n int) { m.waiting.Set(float64(n)) }

// Dropped implements [failover.Observer].
func (m *storeMetrics) Dropped(n int) { m.dropped.Add(float64(n)) }

// HandedOver implements [failover.Observer].
func (m *storeMetrics) HandedOver(n int) { m.handedOver.Add(float64(n)) }

// Live implements [failover.Observer].
func (m *storeMetrics) Live(n int) { m.replicas.Set(float64(n)) }
