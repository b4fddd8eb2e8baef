package auth

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-viper/mapstructure/v2"

	"github.com/holysheep/relay/internal/tree"
)

// document is what a source of clients holds.
type document struct {
	Clients map[string]client `koanf:"clients"`
}

// parse reads YAML with the one key clients, as strictly as the configuration
// is read, and reports everything that is wrong with it. A source without clients is a problem: a file is empty by accident,
// such as half a write, more often than because all its clients shall go.
func parse(text []byte) (map[string]client, []error) {
	const whole = "the document"
	found := tree.NewProblems()
	raw, _ := found.Read(whole, "", text)
	var into document
	if _, isMap := raw.(map[string]any); raw != nil && !isMap {
		found.Add(whole, "is not a map of clients")
	} else if fit, ok := found.Check("", tree.ShapeOf(reflect.TypeFor[document]()), raw); ok {
		if err := decode(fit, &into); err != nil {
			found.Add(whole, "%v", err)
		}
	}
	if len(into.Clients) == 0 && found.Err() == nil {
		found.Add("clients", "there is none")
	}
	var problems []error
	for _, p := range tree.Lines(found.Err()) {
		problems = append(problems, errors.New(mask(p.Error())))
	}
	for _, p := range validate(into.Clients) {
		if key, _, _ := strings.Cut(p.Error(), ": "); !found.Under(key) { // else it follows from what did not fit
			problems = append(problems, p)
		}
	}
	return into.Clients, problems
}

// decode puts v, which fits, into what target points to. The error does not
// tell the decoder's, which may hold values.
func decode(v, target any) error {
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: target, TagName: "koanf", DecodeHook: mapstructure.TextUnmarshallerHookFunc(),
	})
	if err != nil || decoder.Decode(v) != nil {
		return fmt.Errorf("cannot be decoded into %T", target)
	}
	return nil
}
