package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/holysheep/relay/internal/tree"
	"github.com/holysheep/relay/server/config"
)

// A keyFile is a file of clients, as the plugin auth reads it. It is changed as
// YAML, not as values: comments, and all that the command does not know of, stay
// as they are, and 2026-11-23 stays the name of a key.
type keyFile struct{ root *yaml.Node }

// readKeyFile reads the clients of a file, none if there is no such file.
func readKeyFile(path string) (*keyFile, error) {
	none := &keyFile{root: &yaml.Node{Kind: yaml.MappingNode}}
	if path == "" {
		return none, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		none.root.HeadComment = strings.TrimSpace(string(text)) // there is nothing else
		return none, nil
	} else if err != nil {
		return nil, fmt.Errorf("%s is not YAML", path) // whose error could show a key
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s holds more than one document", path)
	}
	switch root := doc.Content[0]; {
	case root.ShortTag() == "!!null":
		return none, nil
	case root.Kind != yaml.MappingNode:
		return nil, fmt.Errorf("%s is not a map of clients", path)
	case configures(root):
		return nil, fmt.Errorf("%s is not a file of keys: name the one in plugins.auth.keys_file, "+
			"or leave --into out and paste what is printed", path)
	default:
		return &keyFile{root: root}, nil
	}
}

// configures reports whether the map holds a key of a whole configuration.
func configures(root *yaml.Node) bool {
	known := tree.ShapeOf(reflect.TypeFor[config.Config]()).Fields
	for i := 0; i < len(root.Content); i += 2 {
		name := root.Content[i].Value
		if _, found := known[name]; found || name == "plugins" {
			return true
		}
	}
	return false
}

// text returns the file as it is to be written.
func (f *keyFile) text() ([]byte, error) {
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(f.root); err != nil {
		return nil, err
	}
	return b.Bytes(), encoder.Close()
}

// add adds a key to the client, who is made if need be.
func (f *keyFile) add(client, group, id string, stored map[string]any) error {
	clients, err := inner(f.root, "clients")
	if err != nil {
		return err
	}
	one, err := inner(clients, client)
	if err != nil {
		return err
	}
	if group != "" {
		value(one, "group").SetString(group)
	}
	keys, err := inner(one, "keys")
	if err != nil {
		return err
	}
	key := value(keys, id)
	if key.Kind != 0 {
		return fmt.Errorf("the client %q has a key named %q already: name this one by --id", client, id)
	}
	return key.Encode(stored)
}

// inner returns the map under the name in a map, which is made if need be.
func inner(in *yaml.Node, name string) (*yaml.Node, error) {
	v := value(in, name)
	if v.Kind == 0 || v.ShortTag() == "!!null" {
		v.Kind, v.Tag, v.Value = yaml.MappingNode, "", ""
	}
	if v.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%q is not a map", name)
	}
	return v, nil
}

// value returns what stands under the name in a map: an empty node, which is to
// be filled, if nothing does.
func value(in *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(in.Content); i += 2 {
		if in.Content[i].Value == name {
			return in.Content[i+1]
		}
	}
	key, v := &yaml.Node{}, &yaml.Node{}
	key.SetString(name)
	in.Content = append(in.Content, key, v)
	return v
}
