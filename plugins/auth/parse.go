package auth

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"go.yaml.in/yaml/v3"
)

// parse reads YAML with the one key clients, and nothing that it does not
// know. A source without clients is a problem: a file is empty by accident,
// such as half a write, more often than because all its clients shall go.
func parse(text []byte) (map[string]client, []error) {
	raw, err := parseYAML(text)
	if err != nil {
		return nil, []error{errors.New(mask(strings.Join(strings.Fields(err.Error()), " ")))}
	}
	var into struct {
		Clients map[string]client `koanf:"clients"`
	}
	var found mapstructure.Metadata
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: &into, TagName: "koanf", Metadata: &found,
		DecodeHook: mapstructure.TextUnmarshallerHookFunc(),
		MatchName:  func(key, field string) bool { return key == field },
	})
	if err == nil {
		err = decoder.Decode(raw)
	}
	problems := decodeProblems(err)
	slices.Sort(found.Unused)
	for _, key := range found.Unused {
		problems = append(problems, fmt.Errorf("%s: unknown key", dotted(key)))
	}
	if len(into.Clients) == 0 && len(problems) == 0 {
		problems = append(problems, errors.New("clients: there is none"))
	}
	return into.Clients, problems
}

// decodeProblems returns the problems that err joins, each beginning with the
// key at fault.
func decodeProblems(err error) (problems []error) {
	if one, ok := err.(*mapstructure.DecodeError); ok { //nolint:errorlint // one inside of a join is not all of it
		key := cmp.Or(dotted(one.Name()), "the document")
		return []error{fmt.Errorf("%s: %s", key, mask(one.Unwrap().Error()))}
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range many.Unwrap() {
			problems = append(problems, decodeProblems(one)...)
		}
		return problems
	}
	if err = errors.Unwrap(err); err != nil {
		return decodeProblems(err)
	}
	return nil
}

// dotted returns a path such as clients[a].keys as clients.a.keys.
func dotted(path string) string {
	return mask(strings.NewReplacer("[", ".", "]", "").Replace(path))
}

// parseYAML returns the one document in text, without a guess at what is a
// date: a key may be named 2026-11-23, and a moment is read in one form alone.
func parseYAML(text []byte) (value any, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document")
	}
	asWritten(&document)
	err = document.Decode(&value)
	return value, err
}

// asWritten makes strings of all keys and of dates.
func asWritten(node *yaml.Node) {
	for i, child := range node.Content {
		isKey := node.Kind == yaml.MappingNode && i%2 == 0 && child.Tag != "!!merge"
		if child.Kind == yaml.ScalarNode && (isKey || child.Tag == "!!timestamp") {
			child.Tag = "!!str"
		}
		asWritten(child)
	}
}
