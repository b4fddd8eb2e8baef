package config

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/holysheep/relay/internal/tree"
)

// Explain writes the effective configuration as YAML, in the form of the file,
// with a comment on every value that says where it comes from. It holds no
// secret: the configuration has only the names of their sources. Of items under
// free names, such as upstreams and rules, what nobody has set and is nothing by
// default is left out.
func (l *Loaded) Explain(w io.Writer) error {
	n := l.node(true)
	n.HeadComment = l.words()
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		return err
	}
	return enc.Close()
}

// Tree returns the effective configuration in the form of the file, as maps,
// lists, texts, numbers and booleans.
func (l *Loaded) Tree() map[string]any {
	var m map[string]any
	// It cannot fail: the nodes were made of such values.
	_ = l.node(false).Decode(&m)
	return m
}

// way says in words through what a request goes.
func (c Config) way() string {
	if len(c.Chain) == 0 {
		return "A request goes straight to an upstream."
	}
	return fmt.Sprintf("A request goes through %s, then to an upstream; the answer comes back the other way.",
		strings.Join(c.Chain, ", then "))
}

// node returns the configuration as a YAML node with comments. brief leaves out
// what is nothing in items.
func (l *Loaded) node(brief bool) *yaml.Node {
	d := describer{l, brief}
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range tree.Fields(reflect.TypeFor[Config]()) {
		if f.Name == "upstreams" {
			add(n, "plugins", d.describe("plugins", reflect.ValueOf(l.Config.Plugins), false))
			l.markIdle(n.Content[len(n.Content)-1])
		}
		add(n, f.Name, d.describe(f.Name, reflect.ValueOf(l.Config).FieldByIndex(f.Index), false))
	}
	return n
}

// markIdle says which plugins have settings and no place in the chain.
func (l *Loaded) markIdle(settings *yaml.Node) {
	for i := 0; i+1 < len(settings.Content); i += 2 {
		if name := settings.Content[i]; !slices.Contains(l.Config.Chain, name.Value) {
			name.HeadComment = name.Value + " is not in the chain."
		}
	}
}

// scalar returns a node for a plain value. What a careless plugin keeps under a
// secret's name is not shown, nor what looks like a key, wherever it stands, and
// of a hash only what tells it from others.
func (l *Loaded) scalar(path string, v any) *yaml.Node {
	text, isText := v.(string)
	switch {
	case isText && text != "" && tree.NamesSecret(path):
		v = tree.Hidden
	case isText && strings.HasSuffix(path, ".sha256") && len(text) > fingerprint:
		v = text[:fingerprint] + "…"
	case isText:
		v = tree.Hide(path, text)
	}
	n := &yaml.Node{}
	_ = n.Encode(v) // plain values always can be
	n.LineComment = l.Origin(path).String()
	return n
}

// fingerprint is how many digits of a hash are shown.
const fingerprint = 12

// add puts v under key into n, unless it is nil.
func add(n *yaml.Node, key string, v *yaml.Node) {
	if v == nil {
		return
	}
	name := &yaml.Node{}
	name.SetString(key)
	n.Content = append(n.Content, name, v)
}
