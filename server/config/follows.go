package config

import (
	"slices"
	"strings"

	"github.com/holysheep/relay/internal/tree"
)

// followers returns a test for keys whose problems may only follow from something
// that could not be read or was unknown: the key itself, or a setting of an item
// around it, such as plugins.limit.rules.fair. Without its requests, a rule
// "limits nothing".
func (l *loader) followers() func(key string) bool {
	raw, unread := l.merged.Raw(), map[string]bool{}
	for key := range l.problems.Keys() {
		if items := itemsAround(l.root, raw, key); len(items) > 0 {
			unread[items[len(items)-1]] = true
		}
	}
	return func(key string) bool {
		return l.problems.Under(key) ||
			slices.ContainsFunc(itemsAround(l.root, raw, key), func(item string) bool { return unread[item] })
	}
}

// itemsAround returns the paths of the items with settings of their own, under
// names of the operator's choice, in which key stands, the outermost first. v is
// what there is at s. A name may hold dots, so that only v tells where it ends.
func itemsAround(s *tree.Shape, v any, key string) (items []string) {
	rest := key
	for s != nil {
		m, _ := v.(map[string]any)
		name := firstPart(rest)
		if s.Kind == tree.Table {
			name = longestName(m, rest)
		}
		after, inside := strings.CutPrefix(rest[len(name):], ".")
		if name == "" || !inside {
			return items
		}
		if s.Kind == tree.Table && s.Elem.Kind == tree.Group {
			items = append(items, key[:len(key)-len(after)-1])
		}
		s, v, rest = s.Find(name), m[name], after
	}
	return items
}

// firstPart returns what key begins with, up to its first dot.
func firstPart(key string) string {
	part, _, _ := strings.Cut(key, ".")
	return part
}

// longestName returns the longest of the names in m that key begins with, a dot
// after it.
func longestName(m map[string]any, key string) string {
	for i := len(key) - 1; i > 0; i-- {
		if key[i] != '.' {
			continue
		}
		if _, found := m[key[:i]]; found {
			return key[:i]
		}
	}
	return ""
}
