package config

import (
	"reflect"
	"slices"

	"github.com/go-viper/mapstructure/v2"

	"github.com/holysheep/relay/internal/tree"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/upstream"
)

// rootShape is the shape of the whole configuration, with the settings of the
// known plugins.
func rootShape(known []plugins.Plugin) *tree.Shape {
	root := tree.ShapeOf(reflect.TypeFor[Config]())
	settings := &tree.Shape{Kind: tree.Group, Noun: "plugin", Fields: map[string]*tree.Shape{}}
	for _, p := range known {
		settings.Fields[p.Name()] = tree.ShapeOf(reflect.TypeOf(p.Defaults()))
	}
	root.Fields["plugins"] = settings
	return root
}

// checkKnown holds the plugins that the program was built with to the rules of
// names.
func (l *loader) checkKnown() {
	var names []string
	for _, p := range l.known {
		at := "plugin " + p.Name()
		if !tree.ValidName(p.Name()) {
			l.problems.Add(at, "%s", tree.NameRule)
		}
		if slices.Contains(names, p.Name()) {
			l.problems.Add(at, "is built in twice")
		}
		names = append(names, p.Name())
	}
}

// decode puts the merged layers over the defaults: plugins and upstreams one by
// one, so that each keeps its own.
func (l *loader) decode(merged map[string]any) Config {
	cfg := Defaults()
	cfg.Chain = knownChain(cfg.Chain, l.known)
	settings, _ := merged["plugins"].(map[string]any)
	upstreams, _ := merged["upstreams"].(map[string]any)
	delete(merged, "plugins")
	delete(merged, "upstreams")
	l.into("configuration", merged, &cfg)
	l.local(&cfg)

	cfg.Plugins = map[string]plugins.Settings{}
	for _, p := range l.known {
		own, said := settings[p.Name()]
		if !said && !slices.Contains(cfg.Chain, p.Name()) {
			continue
		}
		cfg.Plugins[p.Name()], _ = p.Decode(func(s any) error {
			l.into("plugins."+p.Name(), own, s)
			return nil
		})
	}
	cfg.Upstreams = map[string]upstream.Settings{}
	for name, own := range upstreams {
		s := upstream.Defaults()
		l.into("upstreams."+name, own, &s)
		cfg.Upstreams[name] = s
	}
	return cfg
}

// into decodes v over what target points to. v fits, so an error is about a
// type that the decoder cannot fill; its text is not told, since it may hold
// values.
func (l *loader) into(path string, v, target any) {
	dec, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result:      target,
		TagName:     "koanf",
		ErrorUnused: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			replaceList,
			mapstructure.StringToTimeDurationHookFunc(),
			mapstructure.TextUnmarshallerHookFunc(),
		),
	})
	if err == nil {
		err = dec.Decode(v)
	}
	if err != nil {
		l.problems.Add(path, "cannot be decoded into %T", target)
	}
}

// replaceList empties a list before the decoder fills it: the decoder would
// write into the memory of the default.
func replaceList(from, to reflect.Value) (any, error) {
	if to.Kind() == reflect.Slice && to.CanSet() {
		to.SetZero()
	}
	return from.Interface(), nil
}

// knownChain returns those of chain that are among the known plugins.
func knownChain(chain []string, all []plugins.Plugin) []string {
	return slices.DeleteFunc(slices.Clone(chain), func(name string) bool {
		return !slices.ContainsFunc(all, func(p plugins.Plugin) bool { return p.Name() == name })
	})
}
