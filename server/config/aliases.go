package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holysheep/relay/internal/tree"
)

// Names that deployments of the relay's predecessor set, and the values that
// they imply. An empty variable counts as not set.
//
//   - BASE_URL is the base_url of the only upstream, or of the one called
//     holysheep, which it makes if there is none: alone it is a whole
//     configuration. An upstream of the RELAY_ variables counts too, and their
//     base_url goes before it.
//   - HOLYSHEEP_API_KEY, or else API_KEY, is where that upstream's key stands,
//     unless the upstream says so itself. With no upstream at all,
//     HOLYSHEEP_API_KEY makes holysheep at its public address. API_KEY does
//     not: the key may be anybody's.
//   - MAX_CONCURRENT_REQUESTS is plugins.limit.max_in_flight, per replica.
//   - REQUEST_TIMEOUT is request_timeout in seconds: it bounds a unary answer
//     and a stream's first byte, never a running stream.
//   - CACHE_TTL is plugins.cache.ttl in seconds.
//   - UPSTREAM_RETRY_LIMIT is how often to ask again: plugins.retry.attempts
//     less one.
//   - REDIS_PASSWORD is where Redis's password stands, unless redis says so
//     itself.
const (
	aliasBaseURL       = "BASE_URL"
	aliasKey           = "HOLYSHEEP_API_KEY"
	aliasOtherKey      = "API_KEY"
	aliasRedisPassword = "REDIS_PASSWORD"

	defaultUpstream = "holysheep"
	defaultBaseURL  = "https://api.holysheep.ai/v1"

	// placeholder stands in guides where the reader's key belongs.
	placeholder = "YOUR_HOLYSHEEP_API_KEY"
)

// numberAlias is an alias whose value is a number.
type numberAlias struct {
	name  string
	path  []string
	value func(text string) (any, error)
}

func numberAliases() []numberAlias {
	return []numberAlias{
		{"MAX_CONCURRENT_REQUESTS", []string{"plugins", "limit", "max_in_flight"}, count},
		{"REQUEST_TIMEOUT", []string{"request_timeout"}, seconds},
		{"CACHE_TTL", []string{"plugins", "cache", "ttl"}, seconds},
		{"UPSTREAM_RETRY_LIMIT", []string{"plugins", "retry", "attempts"}, attempts},
	}
}

// aliases adds the layer of the aliases, except for those that say where
// secrets stand. env is the layer that comes after it.
func (l *loader) aliases(env *envLayer) {
	for _, a := range numberAliases() {
		text := l.value(a.name)
		if text == "" || !l.takes(a, env) {
			continue
		}
		v, err := a.value(text)
		if err != nil {
			l.problems.Learn("", text)
			l.problems.Add(a.name, "%v", err)
			l.problems.Mark(strings.Join(a.path, "."))
			continue
		}
		l.alias(a.name, v, a.path...)
	}
	if address := l.value(aliasBaseURL); address != "" {
		l.problems.Learn("", address)
		if name := target(l.upstreamsWith(env)); name != "" {
			l.alias(aliasBaseURL, address, "upstreams", name, "base_url")
		} else {
			l.problems.Add(aliasBaseURL, "there are several upstreams: use RELAY_UPSTREAMS__NAME__BASE_URL")
		}
	}
}

// takes reports whether the relay has the setting that a stands for, and warns
// if not.
func (l *loader) takes(a numberAlias, env *envLayer) bool {
	if l.root.Find(a.path...) == nil {
		l.warn("%s has no effect: there is no setting %s", a.name, strings.Join(a.path, "."))
		return false
	}
	if a.path[0] != "plugins" || slices.Contains(l.chain(env), a.path[1]) {
		return true
	}
	l.warn("%s has no effect: %s is not in the chain", a.name, a.path[1])
	return false
}

// chain returns the chain that the layers so far and env make.
func (l *loader) chain(env *envLayer) []string {
	said, found := env.tree["chain"]
	if !found {
		said = l.get("chain")
	}
	list, ok := said.([]any)
	if !ok {
		return knownChain(Defaults().Chain, l.known)
	}
	var names []string
	for _, item := range list {
		name, _ := item.(string)
		names = append(names, name)
	}
	return names
}

// alias adds the value of one alias, if its setting can hold it.
func (l *loader) alias(variable string, v any, path ...string) {
	v, fits := l.problems.Check(variable, l.root.Find(path...), v)
	if !fits {
		l.problems.Mark(strings.Join(path, "."))
		return
	}
	layer := map[string]any{}
	tree.Put(layer, v, path...)
	l.add(layer, func(string) Origin { return Origin{Kind: Alias, Name: variable} })
}

// target returns which of the upstreams BASE_URL and the keys are for, or "" if
// that is not clear. A name may stand twice.
func target(names []string) string {
	switch {
	case len(names) == 0 || slices.Contains(names, defaultUpstream):
		return defaultUpstream
	case !slices.ContainsFunc(names, func(name string) bool { return name != names[0] }):
		return names[0]
	}
	return ""
}

func (l *loader) upstreams() []string {
	all, _ := l.get("upstreams").(map[string]any)
	return slices.Sorted(maps.Keys(all))
}

// upstreamsWith returns the names of the upstreams that there are once env is
// over the layers so far. One may stand twice.
func (l *loader) upstreamsWith(env *envLayer) []string {
	said, _ := env.tree["upstreams"].(map[string]any)
	names := slices.Collect(maps.Keys(said))
	if slices.ContainsFunc(env.whole, func(path []string) bool { return slices.Equal(path, []string{"upstreams"}) }) {
		return names
	}
	return append(names, l.upstreams()...)
}

// keyAliases says where secrets stand, after all other layers: the aliases fill
// what those leave open. No value of a secret is copied.
func (l *loader) keyAliases() {
	if l.value(aliasRedisPassword) != "" && l.get("redis", "password_env") == nil && l.get("redis", "password_file") == nil {
		l.alias(aliasRedisPassword, aliasRedisPassword, "redis", "password_env")
	}
	for _, name := range []string{aliasKey, aliasOtherKey} {
		if l.env[name] == placeholder {
			l.warn("%s holds %s, which stands for a key and is none", name, placeholder)
		}
	}
	name := aliasKey
	if l.value(name) == "" {
		name = aliasOtherKey
	}
	if l.value(name) == "" {
		return
	}
	if len(l.upstreams()) == 0 && name == aliasKey {
		l.alias(aliasKey, defaultBaseURL, "upstreams", defaultUpstream, "base_url")
	}
	l.keyAlias(name)
}

// keyAlias has the upstream that it is clearly for take its key from variable.
// To send one provider's key to another would give it away.
func (l *loader) keyAlias(variable string) {
	names := l.upstreams()
	if len(names) == 0 {
		return
	}
	target := target(names)
	if target == "" {
		named := func(name string) bool { return l.get("upstreams", name, "api_key_env") == variable }
		if slices.ContainsFunc(names, l.keyless) && !slices.ContainsFunc(names, named) {
			l.warn("%s has no effect: there are several upstreams: name it in api_key_env of one", variable)
		}
		return
	}
	if l.keyless(target) {
		l.alias(variable, variable, "upstreams", target, "api_key_env")
	}
}

// keyless reports whether the upstream does not say where its key stands. An
// empty api_key_env says that there is none, and so does auth: none.
func (l *loader) keyless(name string) bool {
	return l.get("upstreams", name, "auth") != "none" && l.get("upstreams", name, "api_key_env") == nil && l.get("upstreams", name, "api_key_file") == nil
}

func count(text string) (any, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("%s is not a whole number such as 100", tree.Brief(text))
	}
	return n, nil
}

// seconds takes fractions too. Ten years are more than any timeout.
func seconds(text string) (any, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0 && n <= 10*365*24*3600) {
		return nil, fmt.Errorf("%s is not a number of seconds such as 30", tree.Brief(text))
	}
	d := time.Duration(n * float64(time.Second))
	if d == 0 && n > 0 { // which would be no bound
		return nil, fmt.Errorf("%s seconds are less than a nanosecond", tree.Brief(text))
	}
	return d.String(), nil
}

func attempts(text string) (any, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("%s is not a number of retries such as 3", tree.Brief(text))
	}
	return n + 1, nil
}
