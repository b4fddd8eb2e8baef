package upstream

import (
	"time"

	"github.com/holysheep/relay/internal/breaker"
	"github.com/holysheep/relay/internal/wire"
)

// A State is how an upstream stands, for operators. It holds no key.
type State struct {
	Name     string            `json:"name"`
	BaseURL  string            `json:"base_url"`
	Wires    []wire.Name       `json:"wires"`
	Models   []string          `json:"models,omitempty"`  // globs; none is every model
	Rewrite  map[string]string `json:"rewrite,omitempty"` // models that it calls otherwise
	Priority int               `json:"priority"`
	Weight   int               `json:"weight"`

	State  string     `json:"state"`            // healthy, ejected or probing
	Reason string     `json:"reason,omitempty"` // of the ejection: one of breaker.Reasons, or keys
	Until  *time.Time `json:"until,omitempty"`  // the end of the ejection
	Since  time.Time  `json:"since"`            // of the latest change from healthy to not, or back

	Failures     int     `json:"consecutive_failures"`
	ErrorPercent float64 `json:"error_percent"` // within the window
	Requests     int     `json:"requests"`      // that ended within the window
	LastError    string  `json:"last_error,omitempty"`

	InFlight    int64 `json:"in_flight"`
	MaxInFlight int   `json:"max_in_flight,omitempty"`
	Left        *int  `json:"requests_left,omitempty"` // in the period
	Keys        Keys  `json:"keys"`
}

// Keys are how many keys an upstream has.
type Keys struct {
	Total   int `json:"total"`
	Ejected int `json:"ejected"`
}

// Show returns how the upstreams stand, in the order in which they are
// preferred.
func (p *Pool) Show() []State {
	all := make([]State, 0, len(p.members))
	for _, m := range p.members {
		all = append(all, m.show(p.now()))
	}
	return all
}

func (m *member) show(now time.Time) State {
	status := m.state.breaker.Status(now)
	s := State{
		Name: m.name, BaseURL: m.set.BaseURL, Wires: m.wires.names(), Models: m.set.Models, Rewrite: m.set.Rewrite,
		Priority: m.set.Priority, Weight: m.set.Weight,
		State: "healthy", Reason: string(status.Reason), Since: status.Since,
		Failures: status.Failures, Requests: status.Requests,
		InFlight: m.state.inFlight.Load(), MaxInFlight: m.set.MaxInFlight, Keys: m.keys.show(now),
	}
	switch {
	case status.State == breaker.Ejected:
		s.State, s.Until = "ejected", &status.Until
	case status.State != breaker.Healthy:
		s.State = "probing"
	case !m.keys.good(now):
		s.State, s.Reason = "ejected", "keys"
	}
	if status.Requests > 0 {
		s.ErrorPercent = 100 * float64(status.Failed) / float64(status.Requests)
	}
	if last := m.state.last.Load(); last != nil {
		s.LastError = *last
	}
	if m.set.Requests > 0 {
		left, _ := m.state.quota.look(now)
		s.Left = &left
	}
	return s
}
