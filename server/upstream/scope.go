package upstream

import (
	"slices"

	"github.com/holysheep/relay/plugins"
)

// Serves reports whether any upstream serves a model that the glob fits, as far
// as the configuration says: one without models serves every model. What a
// model falls back on is served by somebody, as [New] has checked.
func (p *Pool) Serves(glob string) bool {
	return slices.ContainsFunc(p.members, func(m *member) bool { return m.set.meets(glob) })
}

// meets reports whether an upstream of these settings serves a model that the
// glob fits.
func (s *Settings) meets(glob string) bool {
	if len(s.Models) == 0 {
		return true
	}
	for name := range s.Rewrite {
		if plugins.MatchModel(glob, name) {
			return true
		}
	}
	return slices.ContainsFunc(s.Models, func(own string) bool { return plugins.GlobsMeet(own, glob) })
}
