package plugintest

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
)

func TestSettingKeys(t *testing.T) {
	type inner struct {
		Rate int `koanf:"rate"`
	}
	type common struct {
		Shared bool `koanf:"shared"`
	}
	type plain struct {
		common   `koanf:",squash"`
		Size     plugins.Size           `koanf:"max_size"`
		Wait     time.Duration          `koanf:"wait"`
		At       time.Time              `koanf:"at"`
		Names    []string               `koanf:"names"`
		One      inner                  `koanf:"one"`
		Pointer  *inner                 `koanf:"pointer"`
		Rules    map[string]inner       `koanf:"rules"`
		Deep     map[string]map[int]int `koanf:"deep"`
		Left     func()                 `koanf:"-"`
		internal int
	}
	tests := []struct {
		name     string
		settings any
		want     []string
		err      string
	}{
		{name: "every kind", settings: plain{internal: 1}, want: []string{
			"shared", "max_size", "wait", "at", "names", "one", "one.rate", "pointer", "pointer.rate", "rules", "rules.*.rate", "deep",
		}},
		{name: "no tag", settings: struct{ A int }{}, err: `A: the koanf tag "" is not snake case`},
		{name: "capitals", settings: struct {
			A int `koanf:"maxWait"`
		}{}, err: "is not snake case"},
		{name: "two underscores", settings: struct {
			A int `koanf:"max__wait"`
		}{}, err: "is not snake case"},
		{name: "a bad key inside", settings: struct {
			A map[string]struct{ B int } `koanf:"a"`
		}{}, want: []string{"a"}, err: `a.*.B: the koanf tag "" is not snake case`},
		{name: "settings in a list", settings: struct {
			A []inner `koanf:"a"`
		}{}, want: []string{"a"}, err: "use a map"},
		{name: "settings without a tag in a list", settings: struct {
			A []struct{ B int } `koanf:"a"`
		}{}, want: []string{"a"}, err: "use a map"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := settingKeys(reflect.TypeOf(tt.settings), "")
			wants(t, err, tt.err)
			if !slices.Equal(got, tt.want) {
				t.Errorf("keys = %q, want %q", got, tt.want)
			}
		})
	}
}

// vague is settings whose problem does not begin with a key.
type vague struct{}

func (vague) Validate() error { return errors.New("something is wrong") }

func TestCheckSettings(t *testing.T) {
	words := parsePage(goodPage).words("Settings")
	one := oneRule(nil)
	tests := []struct {
		name               string
		defaults, settings plugins.Settings
		words              map[string]bool
		want               string
	}{
		{name: "good", defaults: gate{}, settings: one, words: words},
		{name: "not valid", defaults: gate{}, settings: gate{}, words: words, want: "not valid: rules: there are none"},
		{name: "a vague problem", defaults: vague{}, settings: one, words: words, want: `"something is wrong" does not begin with the key`},
		{name: "a key is not told", defaults: gate{}, settings: one, words: map[string]bool{"rules": true}, want: "rules.*.rate: no `rate` under ## Settings"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wants(t, checkSettings(tt.defaults, tt.settings, tt.words), tt.want)
		})
	}
}
