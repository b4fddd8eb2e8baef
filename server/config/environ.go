package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/holysheep/relay/internal/tree"
)

// prefix begins every variable that is a setting of the relay's.
const prefix = "RELAY_"

// FileVariable names the configuration file where no flag does. It is no
// setting: a file cannot say where it stands.
const FileVariable = prefix + "CONFIG"

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
// plugins.retry.attempts. An empty variable counts as not set, as that of an
// alias does: who writes RELAY_CHAIN=${CHAIN} wants no chain without auth where
// CHAIN is not set. An empty list is [], an empty table {}.
func (l *loader) environment() *envLayer {
	e := &envLayer{tree: map[string]any{}, names: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(l.env)) {
		if !strings.HasPrefix(name, prefix) || name == FileVariable || l.value(name) == "" {
			continue
		}
		path := pathOf(name)
		s := l.root.Find(path...)
		if s == nil {
			e.unknown = append(e.unknown, name)
			continue
		}
		l.variable(e, name, path, s)
		if l.problems.Under(name) {
			l.problems.Mark(strings.Join(path, "."))
		}
	}
	return e
}

// value returns what the variable holds, "" if it is not set.
func (l *loader) value(name string) string { return strings.TrimSpace(l.env[name]) }

// variable puts one variable, whose shape is s, into e.
func (l *loader) variable(e *envLayer, name string, path []string, s *tree.Shape) {
	dotted := strings.Join(path, ".")
	l.problems.Learn(dotted, l.env[name])
	for i := 1; i < len(path); i++ {
		if l.root.Find(path[:i]...).Named && !tree.ValidName(path[i]) {
			l.problems.Add(name, "%s", tree.NameRule)
			return
		}
	}
	if table := l.freeTable(path); table > 0 && len(path) > table {
		l.problems.Add(name, "its names are free: set %s whole, as YAML", variableOf(path[:table]))
		return
	}
	if s.Kind == tree.Group {
		l.problems.Add(name, "is a group of settings: name one of them, such as %s", name+"__"+strings.ToUpper(s.Names()[0]))
		return
	}
	v := l.convert(name, s, l.env[name])
	if v == nil && !l.problems.Under(name) {
		l.problems.Add(name, "holds nothing: an empty list is [], an empty table {}")
	}
	v, ok := l.problems.Check(name, s, v)
	if !ok || l.problems.Under(name) {
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
// and is refused by the check. nil is a list or table of nothing.
func (l *loader) convert(name string, s *tree.Shape, text string) any {
	switch s.Kind {
	case tree.Table:
		v, _ := l.problems.Read(name, name, []byte(text))
		return v
	case tree.List:
		list := []any{}
		if strings.TrimSpace(text) == "[]" {
			return list
		}
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				list = append(list, l.convert(name, s.Elem, item))
			}
		}
		if len(list) == 0 {
			return nil
		}
		return list
	}
	return s.Parse(text)
}

// pathOf returns the path that the variable sets.
func pathOf(name string) []string {
	return strings.Split(strings.ToLower(strings.TrimPrefix(name, prefix)), "__")
}

// variableOf returns the variable that sets path.
func variableOf(path []string) string {
	return prefix + strings.ToUpper(strings.Join(path, "__"))
}
