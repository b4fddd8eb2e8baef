package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/holysheep/relay/internal/tree"
)

// prefix begins every variable that is a setting of the relay's.
const prefix = "RELAY_"

// envLayer is what the RELAY_ variables say.
type envLayer struct {
	tree    map[string]any
	names   map[string]string // of variables, by path
	whole   [][]string        // tables that a variable replaces
	unknown []string          // variables that are no setting
}

// variable returns the variable that set path, or what path stands in.
func (e *envLayer) variable(path string) string {
	for {
		if name := e.names[path]; name != "" {
			return name
		}
		dot := strings.LastIndexByte(path, '.')
		if dot < 0 {
			return ""
		}
		path = path[:dot]
	}
}

// variables returns the environment as a map.
func variables(environ []string) map[string]string {
	env := map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return env
}

// environment reads the RELAY_ variables: RELAY_PLUGINS__RETRY__ATTEMPTS is
// plugins.retry.attempts.
func (l *loader) environment() *envLayer {
	e := &envLayer{tree: map[string]any{}, names: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(l.env)) {
		rest, ours := strings.CutPrefix(name, prefix)
		if !ours || name == "RELAY_CONFIG" {
			continue
		}
		path := strings.Split(strings.ToLower(rest), "__")
		s := l.root.Find(path...)
		if s == nil {
			e.unknown = append(e.unknown, name)
			continue
		}
		l.variable(e, name, path, s)
	}
	return e
}

// variable puts one variable, whose shape is s, into e.
func (l *loader) variable(e *envLayer, name string, path []string, s *tree.Shape) {
	dotted := strings.Join(path, ".")
	l.problems.Learn(dotted, l.env[name])
	if path[0] == "upstreams" && len(path) > 1 && !tree.ValidName(path[1]) {
		l.problems.Add(name, "%s", tree.NameRule)
		return
	}
	if table := l.freeTable(path); table > 0 && len(path) > table {
		l.problems.Add(name, "its names are free: set %s whole, as YAML", variableOf(path[:table]))
		return
	}
	if s.Kind == tree.Group {
		l.problems.Add(name, "is a group of settings: name one of them, such as %s", name+"__"+strings.ToUpper(s.Names()[0]))
		return
	}
	v, ok := l.problems.Check(name, s, l.convert(name, s, l.env[name]))
	if !ok {
		return
	}
	if s.Kind == tree.Table {
		e.whole = append(e.whole, path)
	}
	e.names[dotted] = name
	tree.Put(e.tree, v, path...)
}

// freeTable returns how long the part of path is that leads to a table of free
// names, which no variable reaches into; 0 if there is none.
func (l *loader) freeTable(path []string) int {
	for i := range path {
		if s := l.root.Find(path[:i+1]...); s.Kind == tree.Table && !s.Named {
			return i + 1
		}
	}
	return 0
}

// convert turns the text of a variable into what a file would hold for s: in
// the environment everything is text. What cannot be converted stays as it is
// and is refused by the check.
func (l *loader) convert(name string, s *tree.Shape, text string) any {
	switch s.Kind {
	case tree.Table:
		v, _ := l.problems.Read(name, name, []byte(text))
		return v
	case tree.List:
		list := []any{}
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				list = append(list, l.convert(name, s.Elem, item))
			}
		}
		return list
	}
	return s.Parse(text)
}

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
	}
}

func (l *loader) unknownVariable(name string) string {
	path := strings.Split(strings.ToLower(strings.TrimPrefix(name, prefix)), "__")
	last := len(path) - 1
	if inner := l.root.Find(path[:last]...); inner != nil {
		var sources []string
		for _, source := range inner.Sources(path[last]) {
			sources = append(sources, variableOf(append(slices.Clone(path[:last]), source)))
		}
		if len(sources) > 0 {
			return "unknown variable, and a secret is named, not given: use " + strings.Join(sources, " or ")
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

// variableOf returns the variable that sets path.
func variableOf(path []string) string {
	return prefix + strings.ToUpper(strings.Join(path, "__"))
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
