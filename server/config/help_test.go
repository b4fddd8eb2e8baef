package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/server/config"
)

// limitSettings are those of a plugin of the test's own.
type limitSettings struct {
	MaxInFlight int             `koanf:"max_in_flight" jsonschema:"minimum=0"`
	Rules       map[string]rule `koanf:"rules"`
	Hint        time.Duration   `koanf:"hint"`
	Share       float64         `koanf:"share"`
	Extra       any             `koanf:"extra"`
}

type rule struct {
	Requests int          `koanf:"requests"`
	Size     plugins.Size `koanf:"size"`
	Models   []string     `koanf:"models"`
}

func (s limitSettings) Validate() error {
	if s.MaxInFlight < 0 {
		return fmt.Errorf("max_in_flight: %d is negative", s.MaxInFlight)
	}
	return nil
}

type cacheSettings struct {
	TTL     time.Duration `koanf:"ttl"`
	Sampled bool          `koanf:"sampled"`
}

func (s cacheSettings) Validate() error {
	if s.TTL <= 0 {
		return fmt.Errorf("ttl: %s is not above 0s", s.TTL)
	}
	return nil
}

type retrySettings struct {
	Attempts uint8         `koanf:"attempts" jsonschema:"minimum=1,maximum=10"`
	Wait     time.Duration `koanf:"wait"`
	Statuses []int         `koanf:"statuses"`
}

func (s retrySettings) Validate() error {
	var errs []error
	if s.Attempts < 1 || s.Attempts > 10 {
		errs = append(errs, fmt.Errorf("attempts: %d is not from 1 to 10", s.Attempts))
	}
	if s.Wait < 0 {
		errs = append(errs, fmt.Errorf("wait: %s is negative", s.Wait))
	}
	for _, status := range s.Statuses {
		if status < 400 {
			errs = append(errs, fmt.Errorf("statuses: %d is below 400", status))
		}
	}
	return errors.Join(errs...)
}

type authSettings struct {
	KeysEnv  string         `koanf:"keys_env"`
	KeysFile string         `koanf:"keys_file"`
	Token    string         `koanf:"token"`
	Clients  map[string]key `koanf:"clients"`
	Embedded `koanf:",squash"`
}

type Embedded struct {
	Realm string `koanf:"realm"`
}

type key struct {
	SHA256  string    `koanf:"sha256"`
	Expires time.Time `koanf:"expires"`
}

func (authSettings) Validate() error { return nil }

// known are plugins with the names of the real ones.
func known() []plugins.Plugin {
	return []plugins.Plugin{
		define("auth", authSettings{}),
		define("limit", limitSettings{MaxInFlight: 100, Hint: time.Second}),
		define("cache", cacheSettings{TTL: 5 * time.Minute}),
		define("retry", retrySettings{Attempts: 3, Wait: 100 * time.Millisecond, Statuses: []int{429, 503}}),
	}
}

func define[S plugins.Settings](name string, defaults S) plugins.Plugin {
	return plugins.Define(name, func() S { return defaults },
		func(S, plugins.Env) (plugins.Link, error) { return plugins.Link{}, nil })
}

// minimal is a file that says what must be said.
const minimal = "upstreams: {one: {base_url: \"https://one.example.com/v1\"}}\n"

// load loads file, if it is not empty, with the variables of environ.
func load(file string, environ ...string) (*config.Loaded, error) {
	src := config.Source{Environ: environ, ReadFile: func(path string) ([]byte, error) {
		if path == "/etc/relay/relay.yaml" || path == "/run/password" || path == "password" {
			return []byte(file), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}}
	if file != "" {
		src.Path = "/etc/relay/relay.yaml"
	}
	return config.Load(src, known())
}

// mustLoad loads what is right.
func mustLoad(t *testing.T, file string, environ ...string) *config.Loaded {
	t.Helper()
	loaded, err := load(file, environ...)
	if err != nil {
		t.Fatalf("loading: %v", err)
	}
	return loaded
}

// message returns the text of err, or "".
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// at returns what stands at key in tree.
func at(tree map[string]any, key string) any {
	path := strings.Split(key, ".")
	for _, name := range path[:len(path)-1] {
		tree, _ = tree[name].(map[string]any)
	}
	return tree[path[len(path)-1]]
}
