package upstream

import (
	"net/http"
	"slices"
	"strings"

	"github.com/holysheep/relay/plugins"
)

// FallbackHeader is the request header by which a client refuses to be answered
// by another model than the one that it asks for, with one of: off, false, no,
// none, 0.
const FallbackHeader = "X-Relay-Fallback"

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
