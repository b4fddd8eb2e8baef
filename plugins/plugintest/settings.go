package plugintest

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/holysheep/relay/plugins"
)

// checkSettings reports settings that are not valid, problems that do not
// begin with a key, and keys that are misspelt or not among the words of the
// README.
func checkSettings(defaults, settings plugins.Settings, words map[string]bool) error {
	var errs []error
	if err := settings.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("not valid: %w", err))
	}
	if err := defaults.Validate(); err != nil {
		for line := range strings.Lines(err.Error()) {
			if !regexp.MustCompile(`^[\w.<>\-]+: `).MatchString(line) {
				errs = append(errs, fmt.Errorf("the problem %q does not begin with the key at fault", strings.TrimSpace(line)))
			}
		}
	}
	keys, err := settingKeys(reflect.TypeOf(defaults), "")
	errs = append(errs, err)
	for _, key := range keys {
		if last := key[strings.LastIndexByte(key, '.')+1:]; !words[last] {
			errs = append(errs, fmt.Errorf("%s: no `%s` under ## Settings in README.md", key, last))
		}
	}
	return errors.Join(errs...)
}

// settingKeys returns the key of every setting in t and below, joined by dots,
// with an asterisk for the keys of a map. It returns an error for a field that
// the configuration cannot reach or the environment cannot spell.
func settingKeys(t reflect.Type, path string) (keys []string, err error) {
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return nil, nil
	case t.Kind() == reflect.Pointer:
		return settingKeys(t.Elem(), path)
	case t.Kind() == reflect.Map:
		return settingKeys(t.Elem(), path+"*.")
	case t.Kind() == reflect.Slice:
		if inside, err := settingKeys(t.Elem(), path); len(inside) > 0 || err != nil {
			return nil, fmt.Errorf("%s: settings inside a list cannot be set from the environment: use a map", path)
		}
		return nil, nil
	case t.Kind() != reflect.Struct:
		return nil, nil
	}
	var errs []error
	for f := range t.Fields() {
		below, err := fieldKeys(f, path)
		keys, errs = append(keys, below...), append(errs, err)
	}
	return keys, errors.Join(errs...)
}

func fieldKeys(f reflect.StructField, path string) ([]string, error) {
	name, options, _ := strings.Cut(f.Tag.Get("koanf"), ",")
	switch {
	case options == "squash":
		return settingKeys(f.Type, path)
	case name == "-" || !f.IsExported():
		return nil, nil
	case !regexp.MustCompile(`^[a-z]+(_?[a-z0-9]+)*$`).MatchString(name):
		return nil, fmt.Errorf("%s%s: the koanf tag %q is not snake case", path, f.Name, name)
	}
	below, err := settingKeys(f.Type, path+name+".")
	return append([]string{path + name}, below...), err
}
