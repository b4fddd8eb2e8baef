package upstream

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// keyMetrics tell of the keys of upstreams. How many are ejected is counted
// when somebody asks, since an ejection ends by itself.
type keyMetrics struct {
	ejections *prometheus.CounterVec // reason: see the constants of that type
	ejected   *prometheus.Desc

	mu   sync.Mutex
	live map[*keyState]struct{}
}

// watch returns the state of a new key, which is counted until it is closed.
func (m *keyMetrics) watch(upstream string, now func() time.Time) *keyState {
	s := &keyState{upstream: upstream, now: now, metrics: m}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live[s] = struct{}{}
	return s
}

// forget ends the counting of a key, and the series of an upstream that has no
// other.
func (m *keyMetrics) forget(s *keyState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.live, s)
	for other := range m.live {
		if other.upstream == s.upstream {
			return
		}
	}
	m.ejections.DeletePartialMatch(prometheus.Labels{"upstream": s.upstream})
}

// Describe implements [prometheus.Collector].
func (m *keyMetrics) Describe(to chan<- *prometheus.Desc) { to <- m.ejected }

// Collect implements [prometheus.Collector].
func (m *keyMetrics) Collect(to chan<- prometheus.Metric) {
	for upstream, n := range m.count() {
		to <- prometheus.MustNewConstMetric(m.ejected, prometheus.GaugeValue, float64(n), upstream)
	}
}

// count returns how many keys are ejected, by upstream.
func (m *keyMetrics) count() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	ejected := map[string]int{}
	for s := range m.live {
		n := ejected[s.upstream]
		if s.until().After(s.now()) {
			n++
		}
		ejected[s.upstream] = n
	}
	return ejected
}
