package upstream

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/holysheep/relay/internal/breaker"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// probes are what a pool runs in the background.
type probes struct {
	mu      sync.Mutex
	cancel  context.CancelFunc // nil before Start
	closed  bool
	running sync.WaitGroup
}

// Start has the pool's numbers hold from now on, also for what was kept from
// another configuration, and begins to probe. It is called when the
// configuration has become the current one.
func (p *Pool) Start() {
	if p == nil {
		return
	}
	now := p.now()
	for _, m := range p.members {
		m.state.set(now, m.set, p.config.Health)
		state, _ := m.state.breaker.Look(now)
		m.state.meters.begin(state == breaker.Healthy)
	}
	p.probes.mu.Lock()
	defer p.probes.mu.Unlock()
	if p.probes.closed || p.probes.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.probes.cancel = cancel
	for _, m := range p.members {
		if m.set.Probe.Interval > 0 {
			p.probes.running.Go(func() { p.watch(ctx, m) })
		}
	}
}

// Close ends the probing, and returns when it has ended. Requests may go on. It
// may be called twice, and without Start.
func (p *Pool) Close() {
	if p == nil {
		return
	}
	p.probes.mu.Lock()
	p.probes.closed = true
	if p.probes.cancel != nil {
		p.probes.cancel()
	}
	p.probes.mu.Unlock()
	p.probes.running.Wait()
}

// watch probes an upstream until ctx ends: whenever it is out, or nobody has
// asked it since the last time.
func (p *Pool) watch(ctx context.Context, m *member) {
	tick := time.NewTicker(m.set.Probe.Interval)
	defer tick.Stop()
	for seen := m.state.asked.Load(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked := m.state.asked.Load()
		if idle := asked == seen; p.wanted(m, idle) {
			p.probe(ctx, m)
		}
		seen = asked
	}
}

// wanted reports whether an upstream is to be probed. One that asked to be left
// alone is.
func (p *Pool) wanted(m *member, idle bool) bool {
	switch s := m.state.breaker.Status(p.now()); s.State {
	case breaker.Ejected:
		return s.Reason != breaker.ByRetryAfter
	case breaker.Healthy:
		return idle
	}
	return true
}

// probe asks an upstream whether it is alive, and tells its breaker. Any answer
// means that it is, but for those that mean ill health of a request.
func (p *Pool) probe(ctx context.Context, m *member) {
	ctx, cancel := context.WithTimeout(ctx, m.set.Probe.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.set.Probe.Path, nil)
	if err != nil {
		return // Validate has seen to it
	}
	a := &asking{Pool: p, call: plugins.NewCall("", nil), attempt: &plugins.Attempt{}, member: m}
	a.key = m.keys.pick(p.now(), a.call)
	a.route = wire.Route{Wire: m.wires.names()[0]}
	a.ticket, _ = m.state.breaker.Take(p.now())
	res, err := m.client.RoundTrip(a.address(ctx, req))
	switch {
	case err != nil && context.Cause(ctx) == context.Canceled: //nolint:errorlint // it is never wrapped
		m.state.breaker.Forget(a.ticket)
	case err != nil || passes(res.StatusCode):
		a.report(ctx, bad, 0, "probe: "+failure(res, err))
	default:
		a.report(ctx, good, 0, "")
		m.state.breaker.Success(p.now(), a.ticket)
	}
	if err == nil {
		_ = res.Body.Close()
	}
}
