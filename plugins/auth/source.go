package auth

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/holysheep/relay/plugins"
)

// A source is YAML that holds clients, from the place that a setting names.
type source struct {
	setting string
	path    string // of a file
	text    []byte
	err     error
}

func (s Settings) sources(env plugins.Env) (found []source) {
	if s.KeysFile != "" {
		text, err := env.ReadFile(s.KeysFile)
		found = append(found, source{setting: "keys_file", path: s.KeysFile, text: text, err: err})
	}
	if s.KeysEnv != "" {
		text, set := env.LookupEnv(s.KeysEnv)
		var err error
		if !set {
			err = fmt.Errorf("%s is not set", mask(s.KeysEnv))
		}
		found = append(found, source{setting: "keys_env", text: []byte(text), err: err})
	}
	return found
}

// clients returns the clients that the source holds, and what is wrong with
// them.
func (s source) clients() (map[string]client, []error) {
	if s.err != nil {
		return nil, []error{s.err}
	}
	return parse(s.text)
}

// name is what the source's problems begin with: the setting, and the path of a
// file, which the error of reading it names by itself.
func (s source) name() string {
	if s.path == "" || s.err != nil {
		return s.setting
	}
	return s.setting + ": " + s.path
}

// gather returns the clients of the configuration and of all other sources. It
// returns every problem, each beginning with the setting at fault.
func (s Settings) gather(env plugins.Env) (map[string]client, error) {
	all, from := map[string]client{}, map[string]string{}
	maps.Copy(all, s.Clients)
	for name := range all {
		from[name] = "the configuration"
	}
	var errs []error
	for _, source := range s.sources(env) {
		clients, problems := source.clients()
		for _, name := range slices.Sorted(maps.Keys(clients)) {
			if other, found := from[name]; found {
				problems = append(problems, fmt.Errorf("clients.%s: stands in %s too: keep one", mask(name), other))
			}
			all[name], from[name] = clients[name], source.setting
		}
		for _, p := range problems {
			errs = append(errs, fmt.Errorf("%s: %w", source.name(), p))
		}
	}
	if len(all) == 0 && len(errs) == 0 {
		return nil, errors.New("clients: there is none: name clients here, in keys_file or in keys_env, or take auth out of the chain")
	}
	return all, errors.Join(errs...)
}
