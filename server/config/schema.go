package config

import (
	"bytes"
	_ "embed"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/holysheep/relay/internal/tree"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/upstream"
)

// comments are the doc comments of the settings, for a binary has no source.
//
//go:embed comments.json
var comments []byte

// draft is the version of JSON schema, the newest that every Helm 3 reads.
const draft = "http://json-schema.org/draft-07/schema#"

// Schema returns the JSON schema of the configuration file, with the settings
// of the known plugins. Descriptions are the doc comments of the relay's own
// settings; those of plugins from elsewhere have none.
func Schema(known []plugins.Plugin) ([]byte, error) {
	var descriptions map[string]string
	if err := json.Unmarshal(comments, &descriptions); err != nil {
		return nil, fmt.Errorf("the comments of the settings: %w", err)
	}
	return SchemaWith(known, descriptions)
}

// SchemaWith is [Schema] with the doc comments in descriptions, by package,
// type and field, such as "example.net/geoip.Settings.Country".
func SchemaWith(known []plugins.Plugin, descriptions map[string]string) ([]byte, error) {
	b := schemaBuilder{
		FieldNameTag:               "koanf",
		Anonymous:                  true,
		DoNotReference:             true,
		RequiredFromJSONSchemaTags: true,
		CommentMap:                 descriptions,
		Mapper:                     unitSchema,
	}
	root := b.settings(Defaults())
	root.Version, root.Title, root.Description = draft, "Configuration of holysheep-relay", ""

	chain, _ := root.Properties.Get("chain")
	chain.UniqueItems = true
	chain.Items = &jsonschema.Schema{Type: "string", Enum: names(known)}
	chain.Default = knownChain(Defaults().Chain, known)

	upstreams, _ := root.Properties.Get("upstreams")
	upstreams.AdditionalProperties = b.settings(upstream.Defaults())

	root.Properties.Set("plugins", b.plugins(known))
	_ = root.Properties.MoveAfter("plugins", "chain")
	return indent(root)
}

// schemaBuilder makes schemas of settings.
type schemaBuilder jsonschema.Reflector

// plugins returns the schema of the settings of all plugins. A plugin with
// nothing under its name is at its defaults.
func (b *schemaBuilder) plugins(known []plugins.Plugin) *jsonschema.Schema {
	s := &jsonschema.Schema{
		Type:                 "object",
		Description:          b.CommentMap["github.com/holysheep/relay/server/config.Config.Plugins"],
		Properties:           jsonschema.NewProperties(),
		AdditionalProperties: jsonschema.FalseSchema,
	}
	for _, p := range known {
		own := b.settings(p.Defaults())
		s.Properties.Set(p.Name(), &jsonschema.Schema{
			Description: own.Description,
			AnyOf:       []*jsonschema.Schema{own, {Type: "null"}},
		})
	}
	return s
}

// settings returns the schema of the type of defaults, with its values as
// defaults.
func (b *schemaBuilder) settings(defaults any) *jsonschema.Schema {
	v := reflect.Indirect(reflect.ValueOf(defaults))
	s := (*jsonschema.Reflector)(b).ReflectFromType(v.Type())
	s.Version = ""
	finish(s, v)
	return s
}

// finish removes what is no setting from the schema of the struct v, and adds
// the defaults. Items of a map have none: they begin empty.
func finish(s *jsonschema.Schema, v reflect.Value) {
	if v.Kind() != reflect.Struct || s.Properties == nil {
		return
	}
	settings := map[string]tree.Field{}
	for _, f := range tree.Fields(v.Type()) {
		settings[f.Name] = f
	}
	for _, name := range keys(s) {
		property, _ := s.Properties.Get(name)
		field, isSetting := settings[name]
		if !isSetting {
			s.Properties.Delete(name)
			continue
		}
		if field.Named {
			property.PropertyNames = &jsonschema.Schema{Pattern: tree.NamePattern}
		}
		value := v.FieldByIndex(field.Index)
		if text, ok := textOf(value); ok {
			property.Default = text
			continue
		}
		switch value.Kind() {
		case reflect.Struct:
			finish(property, value)
		case reflect.String, reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
			if !value.IsZero() {
				property.Default = value.Interface()
			}
		default:
			property.Default = value.Interface()
		}
	}
}

func keys(s *jsonschema.Schema) []string {
	var all []string
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		all = append(all, p.Key)
	}
	return all
}

func names(known []plugins.Plugin) []any {
	all := make([]any, 0, len(known))
	for _, p := range known {
		all = append(all, p.Name())
	}
	return all
}

// unitSchema returns the schema of what is written with its unit, and of other
// types with a text of their own. 0 needs no unit.
func unitSchema(t reflect.Type) *jsonschema.Schema {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return orZero(`^(0|([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+)$`)
	case t == reflect.TypeFor[plugins.Size]():
		return orZero(`^(0|[0-9]+ *(B|kB|MB|GB|KiB|MiB|GiB))$`)
	case t == reflect.TypeFor[time.Time]():
		return nil
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return &jsonschema.Schema{Type: "string"}
	}
	return nil
}

// indent writes JSON for people: without escapes for HTML, which it is not.
func indent(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

// orZero is a text of the pattern, or the number 0.
func orZero(pattern string) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Pattern: pattern}, {Const: 0}}}
}
