// Package schema writes what is generated from the settings of the relay and of
// its own plugins: the doc comments that the binary shows as descriptions, and
// the schema of the chart's values, with the configuration inside.
//
// It runs when the relay is built, never in it.
package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/auth"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/limit"
	"github.com/holysheep/relay/plugins/retry"
	"github.com/holysheep/relay/server/config"
)

//go:generate go run ./gen ../..

// Plugins returns the plugins that the binary is built with.
func Plugins() []plugins.Plugin {
	return []plugins.Plugin{auth.Plugin, cache.Plugin, limit.Plugin, retry.Plugin}
}

// Where things stand, from the module's root.
const (
	module       = "github.com/holysheep/relay"
	commentsFile = "server/config/comments.json"
	valuesFile   = "values.schema.json"
	chartFile    = "charts/holysheep-relay/values.schema.json"

	// propertiesFile holds the schemas of the chart's own values by their names,
	// written by hand. The chart's copy of the schema is made of it.
	propertiesFile = "charts/holysheep-relay/values.properties.json"
)

// Files returns every generated file by its path, made from the module at root.
func Files(root string) (map[string][]byte, error) {
	comments, err := Comments(root)
	if err != nil {
		return nil, err
	}
	text, err := encode(comments)
	if err != nil {
		return nil, err
	}
	own, err := config.SchemaWith(Plugins(), comments)
	if err != nil {
		return nil, err
	}
	properties, err := os.ReadFile(filepath.Join(root, propertiesFile))
	if errors.Is(err, fs.ErrNotExist) {
		properties, err = []byte("{}"), nil
	}
	if err != nil {
		return nil, err
	}
	values, err := Values(properties, own)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", propertiesFile, err)
	}
	return map[string][]byte{commentsFile: text, valuesFile: values, chartFile: values}, nil
}

// Values returns the schema of the chart's values: the properties, and the
// schema of the configuration under config. Any other value is refused.
func Values(properties, configuration []byte) ([]byte, error) {
	var all, own map[string]any
	if err := json.Unmarshal(properties, &all); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(configuration, &own); err != nil {
		return nil, err
	}
	if _, taken := all["config"]; taken {
		return nil, errors.New("config: it is generated")
	}
	draft := own["$schema"]
	delete(own, "$schema")
	all["config"] = own
	return encode(map[string]any{
		"$schema":              draft,
		"title":                "Values of the chart holysheep-relay",
		"type":                 "object",
		"additionalProperties": false,
		"properties":           all,
	})
}
