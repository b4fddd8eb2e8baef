package upstream

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/holysheep/relay/plugins"
)

// FallbackHeader is the request header by which a client refuses to be answered
// by another model than the one that it asks for, with one of: off, false, no,
// none, 0.
const FallbackHeader = "X-Relay-Fallback"

// checkFallbacks reports the models of fallbacks that nobody serves: what falls
// back on nobody is a mistake in a name.
func (p *Pool) checkFallbacks() error {
	var errs []error
	for _, model := range slices.Sorted(maps.Keys(p.config.Fallbacks)) {
		for _, name := range append([]string{model}, p.config.Fallbacks[model]...) {
			if !slices.ContainsFunc(p.members, func(m *member) bool { return m.set.serves(name) }) {
				errs = append(errs, fmt.Errorf("fallbacks.%s: no upstream serves %s: see models and rewrite of the upstreams", model, name))
			}
		}
	}
	return errors.Join(errs...)
}

// refusesFallback reports whether the client wants the model that it asks for
// or none.
func refusesFallback(h http.Header) bool {
	switch strings.ToLower(strings.TrimSpace(h.Get(FallbackHeader))) {
	case "off", "false", "no", "none", "0":
		return true
	}
	return false
}

// fallbacks returns the models that may answer in place of the one that is
// asked for. The client's own list of models holds for them as well.
func (a *asking) fallbacks(model string) []string {
	others := a.config.Fallbacks[model]
	if len(others) == 0 || a.strict {
		return nil
	}
	client, _ := a.call.Client()
	if len(client.Models) == 0 {
		return others
	}
	return slices.DeleteFunc(slices.Clone(others), func(other string) bool {
		return !slices.ContainsFunc(client.Models, func(glob string) bool { return plugins.MatchModel(glob, other) })
	})
}
