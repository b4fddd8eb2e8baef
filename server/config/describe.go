package config

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/holysheep/relay/internal/tree"
)

// A describer makes YAML nodes of values of a configuration, with comments.
type describer struct {
	*Loaded
	brief bool // leaves out what is nothing by default in items under free names
}

// describe returns v, which stands at path, as a node, or nil for what is not
// there: a file cannot say so but by leaving it out. within tells that v is, or
// stands in, an item under a free name.
func (d describer) describe(path string, v reflect.Value, within bool) *yaml.Node {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if text, ok := textOf(v); ok && text == nil {
		return nil
	} else if ok {
		return d.scalar(path, text)
	}
	n := &yaml.Node{Kind: yaml.MappingNode}
	switch v.Kind() {
	case reflect.Struct:
		d.fields(n, path, v, within)
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		within = within || v.Type().Elem().Kind() == reflect.Struct
		for _, key := range keys {
			add(n, key.String(), d.describe(tree.Join(path, key.String()), v.MapIndex(key), within))
		}
	case reflect.Slice, reflect.Array:
		n.Kind, n.Style = yaml.SequenceNode, yaml.FlowStyle
		for i := range v.Len() {
			if item := d.describe("", v.Index(i), false); item != nil {
				item.LineComment = ""
				n.Content = append(n.Content, item)
			}
		}
	default:
		return d.scalar(path, v.Interface())
	}
	if n.Kind == yaml.SequenceNode || len(n.Content) == 0 {
		n.Style, n.LineComment = yaml.FlowStyle, d.Origin(path).String()
	}
	return n
}

// fields adds to n the settings of the struct v.
func (d describer) fields(n *yaml.Node, path string, v reflect.Value, within bool) {
	for _, f := range tree.Fields(v.Type()) {
		at, field := tree.Join(path, f.Name), v.FieldByIndex(f.Index)
		inner := d.describe(at, field, within)
		if d.brief && within && d.Origin(at).Kind == Default && isNothing(field, inner) {
			continue
		}
		add(n, f.Name, inner)
	}
}

// isNothing reports whether a setting has no value, or only settings without one.
func isNothing(v reflect.Value, n *yaml.Node) bool {
	switch v.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice:
		return n != nil && n.Kind != yaml.ScalarNode && len(n.Content) == 0
	}
	return v.IsZero()
}

// textOf returns the text of a value that is written as one.
func textOf(v reflect.Value) (any, bool) {
	switch x := v.Interface().(type) {
	case time.Duration:
		return tree.Short(x), true
	case time.Time:
		if x.IsZero() {
			return nil, true
		}
		return x.Format(time.RFC3339Nano), true
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		return string(text), err == nil
	}
	return nil, false
}
