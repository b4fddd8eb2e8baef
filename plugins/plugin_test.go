package plugins_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

const canary = "sk-canary"

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"key": "  " + canary + "\r\n", "blank": " \n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := plugintest.Env(t, map[string]string{"KEY": canary + "\n", "BLANK": " "})
	tests := []struct {
		name      string
		env, file string
		want      string
		err       string
	}{
		{name: "a variable", env: "KEY", want: canary},
		{name: "a file", file: "key", want: canary},
		{name: "both", env: "KEY", file: "key", err: "both KEY and {key} are named: keep one"},
		{name: "none", err: "no source is named"},
		{name: "a variable that is not set", env: "OTHER", err: "OTHER is not set"},
		{name: "an empty variable", env: "BLANK", err: "BLANK is empty"},
		{name: "an empty file", file: "blank", err: "{blank} is empty"},
		{name: "a file that is not there", file: "other", err: "open {other}: no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := tt.file
			if path != "" {
				path = filepath.Join(dir, path)
			}
			got, err := env.Secret(tt.env, path)
			text := ""
			if err != nil {
				text = err.Error()
			}
			if want := strings.NewReplacer("{", dir+"/", "}", "").Replace(tt.err); got != tt.want || text != want {
				t.Errorf("Secret = %q, %q, want %q, %q", got, text, tt.want, want)
			}
			if strings.Contains(text, canary) {
				t.Errorf("the error holds the secret: %q", text)
			}
		})
	}
	if _, err := env.Secret("", filepath.Join(dir, "other")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("err = %v, want one that is %v", err, fs.ErrNotExist)
	}
}

func TestKeep(t *testing.T) {
	env := plugintest.Env(t, nil)
	made := 0
	count := func() (*int, error) { made++; return &made, nil }
	first, err := plugins.Keep(env, "counter", count)
	if err != nil {
		t.Fatal(err)
	}
	second, err := plugins.Keep(env, "counter", count)
	if err != nil || second != first || made != 1 {
		t.Errorf("Keep = %p, %v, made %d times, want %p made once", second, err, made, first)
	}
	if _, err := plugins.Keep(env, "counter", func() (string, error) { return "", nil }); err == nil ||
		err.Error() != `the state kept as "counter" is a *int, not a string` {
		t.Errorf("err = %v, want one that names key and types", err)
	}
	broken := errors.New("broken")
	if got, err := plugins.Keep(env, "other", func() (*int, error) { return first, broken }); !errors.Is(err, broken) || got != nil {
		t.Errorf("Keep = %v, %v, want nil and %v", got, err, broken)
	}
}

type gate struct{ Open bool }

func (g gate) Validate() error {
	if !g.Open {
		return errors.New("open: false opens nothing")
	}
	return nil
}

func TestDefine(t *testing.T) {
	broken := errors.New("broken")
	p := plugins.Define("gate", func() gate { return gate{Open: true} }, func(g gate, _ plugins.Env) (plugins.Link, error) {
		return plugins.Link{}, fmt.Errorf("open=%t: %w", g.Open, broken)
	})
	if p.Name() != "gate" || p.Defaults() != (gate{Open: true}) {
		t.Errorf("the plugin is %q with %+v", p.Name(), p.Defaults())
	}
	s, err := p.Decode(func(into any) error {
		into.(*gate).Open = false
		return broken
	})
	if s != (gate{}) || !errors.Is(err, broken) {
		t.Errorf("Decode = %+v, %v, want false over the default, and the error", s, err)
	}
	if p.Defaults() != (gate{Open: true}) {
		t.Error("Decode changed the defaults")
	}
	if _, err := p.Build(s, plugintest.Env(t, nil)); !errors.Is(err, broken) || err.Error() != "open=false: broken" {
		t.Errorf("Build: %v, want an error from the settings that were passed", err)
	}
}
