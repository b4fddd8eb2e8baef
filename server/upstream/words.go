package upstream

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/holysheep/relay/internal/tree"
	"github.com/holysheep/relay/internal/wire"
)

// Words returns in plain words, line by line, what the pool does: who is asked
// in which order, who serves which model, and what happens when it fails. It
// holds no key, only the name of its source.
func (c Config) Words() []string {
	order := c.order()
	if len(order) == 0 {
		return nil
	}
	lines := []string{"Upstreams, in the order in which they are asked:"}
	for _, name := range order {
		lines = append(lines, "  "+c.describe(name))
	}
	lines = append(lines, "Of those of one priority, two are drawn by weight, and the one with fewer requests in flight is asked.")
	lines = append(lines, c.whoServes(order)...)
	for _, model := range slices.Sorted(maps.Keys(c.Fallbacks)) {
		lines = append(lines, fmt.Sprintf("When every upstream of %s is out, it falls back on %s, unless the client sends %s: off.",
			model, wordList(c.Fallbacks[model], ", then "), FallbackHeader))
	}
	return append(lines, c.Health.words(len(order))...)
}

// order returns the names by priority, then name.
func (c Config) order() []string {
	order := slices.Sorted(maps.Keys(c.Upstreams))
	slices.SortStableFunc(order, func(a, b string) int {
		return cmp.Compare(c.Upstreams[a].Priority, c.Upstreams[b].Priority)
	})
	return order
}

// describe returns one upstream as a line.
func (c Config) describe(name string) string {
	s := c.Upstreams[name]
	parts := []string{
		fmt.Sprintf("%s at %s", name, s.BaseURL),
		"priority " + strconv.Itoa(s.Priority) + ", weight " + strconv.Itoa(s.Weight),
		"speaks " + wordList(wiresOf(s, c.Upstreams).names(), " and "),
		"serves " + s.served(),
	}
	for _, model := range slices.Sorted(maps.Keys(s.Rewrite)) {
		parts = append(parts, fmt.Sprintf("calls %s %s", model, s.Rewrite[model]))
	}
	if s.MaxInFlight > 0 {
		parts = append(parts, fmt.Sprintf("at most %d at once", s.MaxInFlight))
	}
	if s.Requests > 0 {
		parts = append(parts, fmt.Sprintf("at most %d in %s", s.Requests, tree.Short(s.Period)))
	}
	switch {
	case s.APIKeyEnv != "":
		parts = append(parts, "key from the variable "+s.APIKeyEnv)
	case s.APIKeyFile != "":
		parts = append(parts, "key from the file "+s.APIKeyFile)
	default:
		parts = append(parts, "no key")
	}
	if s.Probe.Interval > 0 {
		parts = append(parts, fmt.Sprintf("is asked for %s every %s while nobody else asks it", s.Probe.Path, tree.Short(s.Probe.Interval)))
	}
	parts = append(parts, "connects within "+tree.Short(s.ConnectTimeout))
	return strings.Join(parts, "; ") + "."
}

// served returns which models the upstream serves.
func (s Settings) served() string {
	if len(s.Models) == 0 {
		return "every model"
	}
	return wordList(s.names(), ", ")
}

// names returns the globs and models that the upstream names.
func (s Settings) names() []string {
	return slices.Concat(s.Models, slices.Sorted(maps.Keys(s.Rewrite)))
}

// whoServes returns a line for each model or glob that anybody names.
func (c Config) whoServes(order []string) []string {
	models := map[string]bool{}
	for model, others := range c.Fallbacks {
		models[model] = true
		for _, other := range others {
			models[other] = true
		}
	}
	for _, s := range c.Upstreams {
		for _, name := range s.names() {
			models[name] = true
		}
	}
	var lines []string
	for _, model := range slices.Sorted(maps.Keys(models)) {
		by := c.namesOf(order, func(s *Settings) bool { return s.serves(model) })
		lines = append(lines, fmt.Sprintf("%s is served by %s.", model, by))
	}
	by := c.namesOf(order, func(s *Settings) bool { return len(s.Models) == 0 })
	if len(lines) > 0 {
		lines = append(lines, fmt.Sprintf("Any other model is served by %s.", by))
	}
	return lines
}

// namesOf returns in words the upstreams that serve, in order: those of one API
// after the other, where not all of the pool speak the same.
func (c Config) namesOf(order []string, serve func(*Settings) bool) string {
	var apis []string
	for _, w := range wire.Names() {
		names, before := "", 0
		for _, name := range order {
			s := c.Upstreams[name]
			if !serve(&s) || wiresOf(s, c.Upstreams)&wireBit(w) == 0 {
				continue
			}
			switch {
			case names == "":
				names = name
			case s.Priority == before:
				names += " and " + name
			default:
				names += ", then " + name
			}
			before = s.Priority
		}
		if names != "" {
			apis = append(apis, names+" over "+string(w))
		}
	}
	switch {
	case len(apis) == 0:
		return "nobody: 404 model_not_found"
	case c.alike():
		text, _, _ := strings.Cut(apis[0], " over ")
		return text
	}
	return wordList(apis, ", and by ")
}

// alike reports whether all upstreams speak the same APIs.
func (c Config) alike() bool {
	var first wireSet
	for _, s := range c.Upstreams {
		set := wiresOf(s, c.Upstreams)
		if first != 0 && set != first {
			return false
		}
		first = set
	}
	return true
}

// words returns what happens when one of n upstreams fails.
func (h Health) words(n int) []string {
	var rules []string
	if h.Failures > 0 {
		rules = append(rules, fmt.Sprintf("after %d failures in a row", h.Failures))
	}
	if h.ErrorPercent > 0 {
		rules = append(rules, fmt.Sprintf("when %d %% of at least %d requests in %s fail", h.ErrorPercent, h.MinRequests, tree.Short(h.Window)))
	}
	rules = append(rules, "when it asks for a wait by Retry-After")
	return []string{
		fmt.Sprintf("An upstream is left alone %s: for %s, twice as long each time in a row, or as long as it asks for, at most %s. "+
			"Then one request tries it.", strings.Join(rules, ", or "), tree.Short(h.Ejection), tree.Short(h.MaxEjection)),
		fmt.Sprintf("Of the upstreams that serve a model, at most %d %% are left alone at once: of %d, %d.",
			h.MaxEjectedPercent, n, n*h.MaxEjectedPercent/100),
	}
}

func wordList[S ~string](words []S, between string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return strings.Join(all, between)
}
