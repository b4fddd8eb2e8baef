// Package tree is configuration as plain maps, lists and scalars, before it
// becomes Go values: it is read from YAML, compared with the shape of the Go
// types, and all that is wrong with it is collected.
//
// It knows no key of the relay's by name, and prints no value that may be a
// secret.
package tree

// Walk calls see with every value below v that is not a map, and with every
// empty map, by its path, such as "plugins.retry.attempts".
func Walk(path string, v any, see func(path string, v any)) {
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		see(path, v)
		return
	}
	for key, item := range m {
		Walk(Join(path, key), item, see)
	}
}

// Join returns the path of key in the map at path.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Put puts v at path into m, making the maps in between.
func Put(m map[string]any, v any, path ...string) {
	for _, name := range path[:len(path)-1] {
		next, ok := m[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[name] = next
		}
		m = next
	}
	m[path[len(path)-1]] = v
}
