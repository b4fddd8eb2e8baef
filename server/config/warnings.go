package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/holysheep/relay/plugins"
)

// warnOdd notes what is odd about a configuration in which everything fits.
func (l *loader) warnOdd(c Config) {
	if r := c.Redis; len(r.Addresses) == 0 && !l.problems.Under("redis.addresses") {
		for _, s := range []struct{ key, value string }{
			{"redis.password_env", r.PasswordEnv},
			{"redis.password_file", r.PasswordFile},
			{"redis.sentinel.password_env", r.Sentinel.PasswordEnv},
			{"redis.sentinel.password_file", r.Sentinel.PasswordFile},
		} {
			// REDIS_PASSWORD alone may be there for others in the same environment.
			if s.value != "" && l.origins[s.key].Kind != Alias {
				l.warn("%s has no effect: redis.addresses names no Redis%s", s.key, l.setBy(s.key))
			}
		}
	}
	models := c.exactModels()
	for _, name := range c.Chain {
		// What is odd about its settings is the plugin's own to say.
		p, ok := c.Plugins[name].(interface {
			Warnings(models []string, prices plugins.Prices) []string
		})
		if !ok || l.problems.Under("plugins."+name) || l.problems.Under("prices") {
			continue
		}
		for _, text := range p.Warnings(models, c.Prices) {
			l.warn("plugins.%s.%s", name, text)
		}
	}
}

// exactModels returns the models that upstreams name, without what only a glob
// fits, sorted.
func (c Config) exactModels() []string {
	found := map[string]bool{}
	for _, u := range c.Upstreams {
		for _, model := range slices.Concat(u.Models, slices.Collect(maps.Keys(u.Rewrite))) {
			if !strings.Contains(model, "*") {
				found[model] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
