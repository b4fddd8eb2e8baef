package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/holysheep/relay/internal/tree"
)

// reportUnknown notes the variables that are no setting, unless a setting names
// them as the place of a secret, or Kubernetes made them.
func (l *loader) reportUnknown(e *envLayer) {
	named := map[string]bool{}
	tree.Walk("", l.merged.Raw(), func(path string, v any) {
		if name, ok := v.(string); ok && strings.HasSuffix(path, "_env") {
			named[name] = true
		}
	})
	for _, name := range e.unknown {
		if named[name] || isServiceLink(name, l.env[name]) {
			continue
		}
		l.problems.Add(name, "%s", l.unknownVariable(name))
		l.problems.Mark(strings.Join(pathOf(name), "."))
	}
}

func (l *loader) unknownVariable(name string) string {
	path := pathOf(name)
	last := len(path) - 1
	if inner := l.root.Find(path[:last]...); inner != nil && inner.Kind == tree.Group {
		var sources []string
		for _, source := range inner.Sources(path[last]) {
			sources = append(sources, variableOf(append(slices.Clone(path[:last]), source)))
		}
		if len(sources) > 0 {
			return "unknown variable, and a secret is named, not given: use " + strings.Join(sources, " or ")
		}
		if near := tree.Nearest(path[last], inner.Names()); near != "" {
			return "unknown variable, did you mean " + variableOf(append(slices.Clone(path[:last]), near)) + "?"
		}
	}
	if near := tree.Nearest(name, l.allVariables()); near != "" {
		return "unknown variable, did you mean " + near + "?"
	}
	return "unknown variable: a setting is spelled like RELAY_LOG__LEVEL"
}

// allVariables returns the names of all settings of the relay, of its plugins
// and of the upstreams that there are.
func (l *loader) allVariables() []string {
	var all []string
	var visit func(path []string, s *tree.Shape)
	visit = func(path []string, s *tree.Shape) {
		switch {
		case s.Kind == tree.Group:
			for _, name := range s.Names() {
				visit(append(slices.Clone(path), name), s.Fields[name])
			}
		case s.Named:
			all = append(all, variableOf(path))
			items, _ := l.get(path...).(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(items)) {
				visit(append(slices.Clone(path), name), s.Elem)
			}
		default:
			all = append(all, variableOf(path))
		}
	}
	visit(nil, l.root)
	return all
}

// isServiceLink reports whether name is a variable that Kubernetes sets for a
// service called relay or relay-something: RELAY_SERVICE_HOST,
// RELAY_PORT=tcp://10.0.0.1:80, RELAY_PORT_80_TCP_ADDR and so on (Kubernetes,
// "Accessing the Service", environment variables).
func isServiceLink(name, value string) bool {
	link := regexp.MustCompile(`^RELAY_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	port := regexp.MustCompile(`^RELAY_([A-Z0-9_]+_)?PORT$`)
	address := regexp.MustCompile(`^(tcp|udp|sctp)://`)
	return link.MatchString(name) || port.MatchString(name) && address.MatchString(value)
}
