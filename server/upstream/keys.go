package upstream

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/http/httpguts"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/plugins"
)

// A key is one of an upstream's keys.
type key struct {
	name   string    // tells it from the others without telling it: "1", "2"
	secret string    // "" sends none
	forms  []string  // in which an answer could repeat it
	state  *keyState // nil without a secret
}

// keys are an upstream's keys, at least one.
type keys struct {
	upstream string
	all      []*key
}

// newKeys reads the keys of an upstream. One without any has a single key that
// sends nothing. What is known of a key is kept over a reload for as long as it
// is among them.
func newKeys(upstream string, s Settings, env plugins.Env, m *keyMetrics) (*keys, error) {
	if s.APIKeyEnv == "" && s.APIKeyFile == "" {
		return &keys{upstream: upstream, all: []*key{{}}}, nil
	}
	text, err := env.Secret(s.APIKeyEnv, s.APIKeyFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.keySource(), err)
	}
	k := &keys{upstream: upstream}
	for i, secret := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || unicode.IsSpace(c) }) {
		if !httpguts.ValidHeaderFieldValue(secret) {
			return nil, fmt.Errorf("%s: key %d holds what no header may", s.keySource(), i+1)
		}
		if slices.ContainsFunc(k.all, func(other *key) bool { return other.secret == secret }) {
			continue
		}
		state, err := plugins.Keep(env, "key."+upstream+"."+credential.Hash(secret), func() (*keyState, error) {
			return m.watch(upstream, env.Now), nil
		})
		if err != nil {
			return nil, err
		}
		k.all = append(k.all, &key{name: fmt.Sprint(i + 1), secret: secret, forms: forms(secret), state: state})
	}
	if len(k.all) == 0 {
		return nil, fmt.Errorf("%s: holds no key", s.keySource())
	}
	return k, nil
}

// keySource returns the setting that says where the keys stand.
func (s Settings) keySource() string {
	if s.APIKeyEnv != "" {
		return "api_key_env"
	}
	return "api_key_file"
}

// shortSecret is the length below which a key is not looked for in answers: it
// would be found in words such as application/json, and is no secret. The
// shortest keys of known APIs have 32 characters.
const shortSecret = 8

// forms returns how a secret is written in headers, in URLs and in JSON: there
// PHP escapes slashes, and .NET what HTML could take for its own.
func forms(secret string) []string {
	if len(secret) < shortSecret {
		return nil
	}
	query := url.QueryEscape(secret)
	all := []string{
		secret, query, url.PathEscape(secret), lowerEscapes(query),
		strings.ReplaceAll(secret, "/", `\/`),
		strings.NewReplacer("+", `\u002B`, "&", `\u0026`, "'", `\u0027`).Replace(secret),
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// lowerEscapes returns a text whose escapes by percent have small letters.
func lowerEscapes(text string) string {
	b := []byte(text)
	for i := range b {
		if i > 0 && b[i-1] == '%' || i > 1 && b[i-2] == '%' {
			b[i] |= 0x20 // a digit has the bit already
		}
	}
	return string(b)
}

// pick returns the key to ask with: any that is not ejected and by which this
// call has not asked before, else any that is not ejected. If all are, it is the
// one whose ejection ends first, for better a bad key than none.
func (k *keys) pick(now time.Time, call *plugins.Call) *key {
	if len(k.all) == 1 {
		return k.all[0]
	}
	tried := k.tried(&call.Trail)
	var fresh, good, soonest *key
	freshes, goods := 0, 0
	for _, one := range k.all {
		switch until := one.state.until(); {
		case until.After(now):
			if soonest == nil || until.Before(soonest.state.until()) {
				soonest = one
			}
		case slices.Contains(tried, one):
			if goods++; rand.IntN(goods) == 0 { //nolint:gosec // a share, not a secret
				good = one
			}
		default:
			if freshes++; rand.IntN(freshes) == 0 { //nolint:gosec // a share, not a secret
				fresh = one
			}
		}
	}
	return cmp.Or(fresh, good, soonest)
}

// tried returns the keys by which the request has asked this upstream.
func (k *keys) tried(trail *plugins.Trail) []*key {
	if trail.Attempts() == 0 {
		return nil
	}
	var tried []*key
	for _, a := range trail.All() {
		if a.Upstream() != k.upstream {
			continue
		}
		name := a.Key()
		if i := slices.IndexFunc(k.all, func(one *key) bool { return one.name == name }); i >= 0 {
			tried = append(tried, k.all[i])
		}
	}
	return tried
}

// left reports whether the upstream has a key that is not ejected and by which
// the request has not asked it.
func (k *keys) left(now time.Time, trail *plugins.Trail, upstream string) bool {
	if len(k.all) == 1 && trail.Asked(upstream) {
		return false
	}
	tried := k.tried(trail)
	return slices.ContainsFunc(k.all, func(one *key) bool {
		return !one.state.until().After(now) && !slices.Contains(tried, one)
	})
}

// spare reports whether another key than the given one is not ejected.
func (k *keys) spare(now time.Time, but *key) bool {
	return slices.ContainsFunc(k.all, func(one *key) bool { return one != but && !one.state.until().After(now) })
}

// good reports whether any key is not ejected.
func (k *keys) good(now time.Time) bool { return k.spare(now, nil) }

// show tells how many keys there are.
func (k *keys) show(now time.Time) (counts Keys) {
	for _, one := range k.all {
		if one.secret == "" {
			continue
		}
		counts.Total++
		if one.state.until().After(now) {
			counts.Ejected++
		}
	}
	return counts
}

// Fingerprints returns the name of every upstream with the fingerprints of its
// keys, between commas, "" for one without, for operators.
func (p *Pool) Fingerprints(of func(key string) string) map[string]string {
	prints := make(map[string]string, len(p.members))
	for _, m := range p.members {
		var all []string
		for _, one := range m.keys.all {
			if one.secret != "" {
				all = append(all, of(one.secret))
			}
		}
		prints[m.name] = strings.Join(all, ", ")
	}
	return prints
}
