package config

import (
	"errors"
	"io"

	"github.com/holysheep/relay/plugins"
)

// A Source is where a configuration comes from. Later layers win: defaults,
// Base, the file, the aliases of the environment, its RELAY_ variables.
type Source struct {
	Path     string                            // of the YAML file; empty is none
	Environ  []string                          // as [os.Environ] returns it
	ReadFile func(path string) ([]byte, error) // as [os.ReadFile]; files that matter go through it
	Base     map[string]any                    // a layer under the file; may be nil
}

// Loaded is a valid configuration and what is known about it.
type Loaded struct {
	Config   Config
	Warnings []string // what is odd, but no error; in the order found

	origins map[string]Origin
}

// An Origin is where a value of the configuration comes from.
type Origin struct {
	Kind string
	Name string
	Line int
}

// Load puts the configuration together from src. known are the plugins that a
// chain may name. The error holds every problem, one a line, joined with
// [errors.Join].
func Load(src Source, known []plugins.Plugin) (*Loaded, error) {
	return nil, errors.ErrUnsupported
}

// Origin returns where the value of key comes from, such as
// "plugins.retry.attempts".
func (l *Loaded) Origin(key string) Origin { return l.origins[key] }

// Explain writes the effective configuration as YAML, with a comment on every
// value that says where it comes from.
func (l *Loaded) Explain(w io.Writer) error { return errors.ErrUnsupported }

// Tree returns the effective configuration as plain maps, lists, texts, numbers
// and booleans.
func (l *Loaded) Tree() map[string]any { return nil }

// Schema returns the JSON schema of the configuration file.
func Schema(known []plugins.Plugin) ([]byte, error) { return nil, errors.ErrUnsupported }
