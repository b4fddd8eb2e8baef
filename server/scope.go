package server

import (
	"errors"
	"slices"

	"github.com/holysheep/relay/plugins"
)

// misfits returns what the settings of the chain's links name that does not
// exist, each problem with its plugin first. Where a part of the configuration
// was refused, nothing is held against what that may have named.
func (g *generation) misfits(upstreamsGood bool) error {
	chain := slices.Compact(slices.Sorted(slices.Values(g.config.Config.Chain)))
	if len(g.names) < len(chain) || g.config.Refused("chain") {
		return nil
	}
	scope := g.scope(upstreamsGood)
	var errs []error
	for i, l := range g.chain {
		if l.Check != nil {
			errs = append(errs, under("plugins."+g.names[i], l.Check(scope)))
		}
	}
	return errors.Join(errs...)
}

// scope returns what the configuration is about.
func (g *generation) scope(upstreamsGood bool) plugins.Scope {
	scope := plugins.Scope{Serves: func(string) bool { return true }}
	if upstreamsGood {
		scope.Serves = g.pool.Serves
	}
	for _, l := range g.chain {
		if l.Clients != nil {
			scope.Named = true
			scope.Clients = append(scope.Clients, l.Clients()...)
		}
	}
	return scope
}
