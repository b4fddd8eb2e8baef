package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"

	"github.com/holysheep/relay/internal/tree"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/upstream"
)

// delimiter separates the parts of a path inside koanf. No key holds it: names
// of models hold dots, and no key may hold what cannot be printed.
const delimiter = "\x1f"

// A Source is where a configuration comes from. Later layers win: defaults,
// Base, the file, the aliases of the environment, its RELAY_ variables.
type Source struct {
	// Path is the YAML file. Without one there is no such layer.
	Path string

	// Environ is the environment, as [os.Environ] returns it. An empty variable
	// counts as not set; an empty list is [], an empty table {}.
	Environ []string

	// ReadFile reads the file and checks that others exist. nil is
	// [os.ReadFile].
	ReadFile func(path string) ([]byte, error)

	// Base is a layer under the file, as a file would hold it. It may be nil.
	Base map[string]any
}

// Loaded is a configuration and what is known about it.
type Loaded struct {
	// Config is valid, if [Load] returned no error.
	Config Config

	// Warnings say what is odd, but no error.
	Warnings []string

	// Local tells that nothing says who the clients are, so that the default
	// chain is without auth.
	Local bool

	origins  map[string]Origin // of what is not at its default, by path
	problems *tree.Problems
}

// Refused reports whether something is wrong with key, with what stands in it or
// with what it stands in.
func (l *Loaded) Refused(key string) bool { return l.problems.Spoils(key) }

// Load puts the configuration together from src and checks it. known are the
// plugins that its chain may name. The error holds every problem, one a line,
// joined with [errors.Join]; each begins with the key or the variable at fault,
// such as "plugins.retry.atempts: unknown key, did you mean attempts?".
//
// Beside an error it returns what is left of the configuration, unless the file
// could not be read, so that more that is wrong can be found: plugins and
// upstreams with which something is wrong are left out, but for their place in
// the chain, and what else is [Loaded.Refused] means nothing.
func Load(src Source, known []plugins.Plugin) (*Loaded, error) {
	if src.ReadFile == nil {
		src.ReadFile = os.ReadFile
	}
	l := &loader{
		src:      src,
		known:    known,
		env:      variables(src.Environ),
		problems: tree.NewProblems(),
		root:     rootShape(known),
		origins:  map[string]Origin{},
	}
	l.checkKnown()
	whole := l.layers()
	merged := l.merged.Raw()
	cfg := l.decode(merged)
	if whole {
		l.validate(cfg)
	}
	for i, w := range l.warnings {
		l.warnings[i] = l.problems.Clean(w)
	}
	loaded := &Loaded{Config: cfg, Warnings: l.warnings, Local: l.unasked, origins: l.origins, problems: l.problems}
	err := l.problems.Err()
	if err != nil && !whole {
		return nil, err
	}
	maps.DeleteFunc(cfg.Plugins, func(name string, _ plugins.Settings) bool { return loaded.Refused("plugins." + name) })
	maps.DeleteFunc(cfg.Upstreams, func(name string, _ upstream.Settings) bool { return loaded.Refused("upstreams." + name) })
	return loaded, err
}

// loader is one call of Load.
type loader struct {
	src      Source
	known    []plugins.Plugin
	env      map[string]string
	problems *tree.Problems
	warnings []string
	root     *tree.Shape
	merged   *koanf.Koanf // the layers so far
	origins  map[string]Origin
	unasked  bool // nothing says who the clients are
}

// layers merges every layer and reports whether the file could be read: what
// is missing then says nothing.
func (l *loader) layers() (whole bool) {
	l.merged = newKoanf()
	l.add(l.fit(l.src.Base), func(string) Origin { return Origin{Kind: Preset} })
	file, lines, whole := l.file()
	l.add(file, func(path string) Origin {
		return Origin{Kind: File, Name: filepath.Base(l.src.Path), Line: lines[path]}
	})
	env := l.environment()
	l.aliases(env)
	for _, path := range env.whole {
		l.forget(path)
	}
	l.add(env.tree, func(path string) Origin { return Origin{Kind: Environment, Name: env.variable(path)} })
	l.keyAliases()
	l.reportUnknown(env)
	return whole
}

// file reads the layer of the file. whole is false if it cannot be read.
func (l *loader) file() (layer map[string]any, lines map[string]int, whole bool) {
	if l.src.Path == "" {
		return nil, nil, true
	}
	text, err := l.src.ReadFile(l.src.Path)
	if err != nil {
		l.problems.Add("configuration", "%v", err)
		return nil, nil, false
	}
	name := filepath.Base(l.src.Path)
	v, lines := l.problems.Read(name, "", text)
	if _, isMap := v.(map[string]any); v != nil && !isMap {
		l.problems.Add(name, "is not a map of settings")
	}
	whole = !l.problems.Under(name)
	m, _ := v.(map[string]any)
	return l.fit(m), lines, whole
}

// fit returns what of a layer fits the configuration and notes the rest.
func (l *loader) fit(layer map[string]any) map[string]any {
	fit, _ := l.problems.Check("", l.root, layer)
	m, _ := fit.(map[string]any)
	return m
}

// add merges a layer over those before it.
func (l *loader) add(layer map[string]any, origin func(path string) Origin) {
	if layer == nil {
		return
	}
	// It cannot fail: the provider has the map already.
	_ = l.merged.Load(confmap.Provider(layer, ""), nil)
	tree.Walk("", layer, func(path string, _ any) {
		if path != "" {
			l.origins[path] = origin(path)
		}
	})
}

// forget removes what the layers so far hold at path.
func (l *loader) forget(path []string) {
	l.merged.Delete(strings.Join(path, delimiter))
	dotted := strings.Join(path, ".")
	for key := range l.origins {
		if key == dotted || strings.HasPrefix(key, dotted+".") {
			delete(l.origins, key)
		}
	}
}

// get returns what the layers so far hold at path.
func (l *loader) get(path ...string) any { return l.merged.Get(strings.Join(path, delimiter)) }

// warn notes what is odd.
func (l *loader) warn(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(l.warnings, text) {
		l.warnings = append(l.warnings, text)
	}
}

func newKoanf() *koanf.Koanf { return koanf.NewWithConf(koanf.Conf{Delim: delimiter}) }
