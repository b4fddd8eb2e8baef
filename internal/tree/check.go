package tree

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Check returns what of v fits s, and whether anything does; p gets the rest.
// path is where v stands. A map that is null was not said. A value that is null
// is refused: where the lack of a setting allows something, such as the models
// of a key, nothing must not be read as everything.
func (p *Problems) Check(path string, s *Shape, v any) (any, bool) {
	switch {
	case s.Kind == Group || s.Kind == Table:
		return p.checkMap(path, s, v)
	case v == nil && p.Under(path): // what stood there could not be read
		return nil, false
	case v == nil:
		p.Add(path, "is empty: leave it out, or give it a value")
		return nil, false
	case s.Kind == List:
		return p.checkList(path, s, v)
	}
	if problem := s.misfit(v); problem != "" {
		p.Add(path, "%s", problem)
		return nil, false
	}
	return v, true
}

func (p *Problems) checkMap(path string, s *Shape, v any) (any, bool) {
	m, ok := v.(map[string]any)
	if !ok && v != nil {
		p.Add(path, "%s stands where a map is expected", kindOf(v))
		return nil, false
	}
	fit := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		at, elem := Join(path, key), s.Elem
		if s.Kind == Group {
			elem = s.Fields[key]
		}
		if elem == nil {
			p.Add(at, "%s", s.unknown(key))
		} else if s.Named && !ValidName(key) {
			p.Add(at, "%s", NameRule)
		} else if item, ok := p.Check(at, elem, m[key]); ok {
			fit[key] = item
		}
	}
	return fit, true
}

func (p *Problems) checkList(path string, s *Shape, v any) (any, bool) {
	items, ok := v.([]any)
	if !ok {
		p.Add(path, "%s stands where a list is expected", kindOf(v))
		return nil, false
	}
	fit := make([]any, 0, len(items))
	for i, item := range items {
		at := path + "[" + strconv.Itoa(i) + "]"
		if item == nil {
			p.Add(at, "is empty")
		} else if item, ok := p.Check(at, s.Elem, item); ok {
			fit = append(fit, item)
		}
	}
	return fit, true
}

// unknown says what is wrong with key, which the group does not know.
func (s *Shape) unknown(key string) string {
	if s.Noun != "" {
		return "unknown " + s.Noun + ", known are " + strings.Join(s.Names(), ", ")
	}
	if sources := s.Sources(key); len(sources) > 0 {
		return "secrets do not stand in the file: use " + strings.Join(sources, " or ")
	}
	if near := Nearest(key, s.Names()); near != "" {
		return "unknown key, did you mean " + near + "?"
	}
	for _, name := range s.Names() {
		if inner := s.Fields[name]; inner.Noun != "" && inner.Fields[key] != nil {
			return "unknown key, did you mean " + Join(name, key) + "?"
		}
	}
	return "unknown key"
}
