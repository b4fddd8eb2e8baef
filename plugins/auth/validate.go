package auth

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/holysheep/relay/plugins"
)

// Validate implements [plugins.Settings]. Clients in keys_file and keys_env
// are held to the same when the plugin is built.
func (s Settings) Validate() error { return errors.Join(validate(s.Clients)...) }

// validate reports what is wrong with the clients. No problem shows what
// stands in place of a hash, or looks like a key.
func validate(clients map[string]client) (problems []error) {
	for _, name := range slices.Sorted(maps.Keys(clients)) {
		path, c := "clients."+mask(name), clients[name]
		problems = append(problems, validateName(path, name), validateModels(path, c.Models))
		if c.Group != "" {
			problems = append(problems, validateName(path+".group", c.Group))
		}
		if len(c.Keys) == 0 {
			problems = append(problems, fmt.Errorf("%s.keys: there is none: \"relay key %s\" makes one", path, mask(name)))
		}
		for _, keyName := range slices.Sorted(maps.Keys(c.Keys)) {
			k, path := c.Keys[keyName], path+".keys."+mask(keyName)
			problems = append(problems, validateName(path, keyName), validateHash(path, k.SHA256, name),
				validateExpiry(path, k.Expires), validateModels(path, k.Models), validateWithin(path, k.Models, c.Models))
		}
	}
	return slices.DeleteFunc(problems, func(err error) bool { return err == nil })
}

// validateName holds a name to what labels, logs and paths can show. A key
// pasted as a name is refused.
func validateName(path, name string) error {
	switch {
	case strings.HasPrefix(name, "sk-"):
		return fmt.Errorf("%s: begins with sk-, as a key does: keys stand nowhere in plain", path)
	case !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$`).MatchString(name):
		return fmt.Errorf("%s: a name has 1 to 63 letters, digits and . _ @ - and begins with a letter or digit", path)
	}
	return nil
}

func validateHash(path, hash, client string) error {
	if sum, err := hex.DecodeString(hash); err == nil && len(sum) == len(digest{}) {
		return nil
	}
	return fmt.Errorf("%s.sha256: not 64 hexadecimal digits: \"relay key %s\" makes a key and prints its hash", path, mask(client))
}

// validateExpiry refuses the moment that this program takes for none.
func validateExpiry(path string, expires *time.Time) error {
	if expires != nil && expires.IsZero() {
		return fmt.Errorf("%s.expires: the beginning of time: leave it out for a key that is good for ever, or set disabled", path)
	}
	return nil
}

func validateModels(path string, globs []string) error {
	if globs != nil && len(globs) == 0 {
		return fmt.Errorf("%s.models: empty: leave it out to allow every model", path)
	}
	for _, glob := range globs {
		if glob == "" || strings.ContainsAny(glob, `?[]\`) {
			return fmt.Errorf("%s.models: %q is not a glob such as \"gpt-*\", where only * is special", path, mask(glob))
		}
	}
	return nil
}

// validateWithin reports a key's glob that lies in none of its client's. A star
// in glob is fitted by a star alone, so what fits as text fits in every case.
func validateWithin(path string, globs, client []string) error {
	for _, glob := range globs {
		if len(client) > 0 && !slices.ContainsFunc(client, func(wider string) bool { return plugins.MatchModel(wider, glob) }) {
			return fmt.Errorf("%s.models: %q lies outside the client's models", path, mask(glob))
		}
	}
	return nil
}

// mask hides in text what looks like a key, since whatever stands in the wrong
// place may be one: by how keys begin, ours and others', or by its length, ours
// having 43 characters after that.
func mask(text string) string {
	return regexp.MustCompile(`[\w-]{43,}|\bsk-[\w-]+|sk-hs-[\w-]+`).ReplaceAllString(text, "***")
}
