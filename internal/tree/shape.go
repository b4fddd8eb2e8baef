package tree

import (
	"encoding"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Kind is what stands at a place of the configuration.
type Kind int

// The kinds of places.
const (
	Leaf  Kind = iota // one value
	Group             // settings whose names are known: a struct
	Table             // items by names of the operator's choice: a map
	List              // plain values
)

// Shape is what the configuration may hold at one place. It is made of the Go
// types, so that a setting is declared once.
type Shape struct {
	Kind   Kind
	Type   reflect.Type
	Fields map[string]*Shape // of a group
	Elem   *Shape            // of a table or list
	Named  bool              // the names of a table match [NamePattern], so that the environment can spell them
	Noun   string            // what a group's fields are; empty is "key"
}

// ShapeOf returns the shape of settings of type t. Settings are exported fields
// with a koanf tag. The tag env:"named" on a map holds its names to
// [NamePattern] and lets variables of the environment set what stands in it.
func ShapeOf(t reflect.Type) *Shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s := &Shape{Type: t}
	switch {
	case isText(t):
	case t.Kind() == reflect.Struct:
		s.Kind, s.Fields = Group, map[string]*Shape{}
		for _, f := range Fields(t) {
			s.Fields[f.Name] = ShapeOf(f.Type)
			s.Fields[f.Name].Named = f.Named
		}
	case t.Kind() == reflect.Map:
		s.Kind, s.Elem = Table, ShapeOf(t.Elem())
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		s.Kind, s.Elem = List, ShapeOf(t.Elem())
	}
	return s
}

// Field is one setting of a struct.
type Field struct {
	Name  string // its key
	Index []int  // for [reflect.Value.FieldByIndex]
	Type  reflect.Type
	Named bool // a map with names that the environment can spell: env:"named"
}

// Fields returns the settings of the struct t in the order of the source, those
// of embedded structs (squash) included.
func Fields(t reflect.Type) []Field {
	var all []Field
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("koanf"), ",")
		switch {
		case options == "squash":
			for _, inner := range Fields(f.Type) {
				inner.Index = append(slices.Clone(f.Index), inner.Index...)
				all = append(all, inner)
			}
		case f.IsExported() && name != "" && name != "-":
			all = append(all, Field{Name: name, Index: f.Index, Type: f.Type, Named: f.Tag.Get("env") == "named"})
		}
	}
	return all
}

// Find returns the shape at path, or nil.
func (s *Shape) Find(path ...string) *Shape {
	for _, name := range path {
		switch {
		case s == nil:
			return nil
		case s.Kind == Table:
			s = s.Elem
		default:
			s = s.Fields[name]
		}
	}
	return s
}

// Names returns the names that the group knows, sorted.
func (s *Shape) Names() []string { return slices.Sorted(maps.Keys(s.Fields)) }

// Sources returns the settings of the group that name where the secret stands
// for which somebody wrote key.
func (s *Shape) Sources(key string) []string {
	if !NamesSecret(key) {
		return nil
	}
	var found []string
	for _, name := range s.Names() {
		base, isEnv := strings.CutSuffix(name, "_env")
		if !isEnv {
			continue
		}
		found = append(found, name)
		if s.Fields[base+"_file"] != nil {
			found = append(found, base+"_file")
		}
	}
	return found
}

// isText reports whether values of type t are written as a text of their own.
func isText(t reflect.Type) bool {
	return t == reflect.TypeFor[time.Duration]() ||
		reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}
