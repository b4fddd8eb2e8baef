package upstream

import (
	"fmt"
	"net/http"
	"time"

	"github.com/holysheep/relay/plugins"
)

// A key is one of an upstream's keys.
type key struct {
	name   string // tells it from the others without telling it: "1", "2"
	secret string // "" sends none
}

// keys are an upstream's keys, at least one.
type keys struct{ all []*key }

// newKeys reads the keys of an upstream. One without any has a single key that
// sends nothing.
func newKeys(s Settings, env plugins.Env) (*keys, error) {
	one := &key{}
	if s.APIKeyEnv != "" || s.APIKeyFile != "" {
		secret, err := env.Secret(s.APIKeyEnv, s.APIKeyFile)
		if err != nil {
			return nil, fmt.Errorf("api_key: %w", err)
		}
		one = &key{name: "1", secret: secret}
	}
	return &keys{all: []*key{one}}, nil
}

// pick returns the key to ask with.
func (k *keys) pick(time.Time, *plugins.Call) *key { return k.all[0] }

// good reports whether any key is not ejected.
func (k *keys) good(time.Time) bool { return true }

// show tells how many there are.
func (k *keys) show(time.Time) Keys {
	n := 0
	for _, one := range k.all {
		if one.secret != "" {
			n++
		}
	}
	return Keys{Total: n}
}

// judgeKey tells an answer that refuses the key from any other. It returns an
// error in its place where the client must not take it for its own key's.
func (a *asking) judgeKey(req *http.Request, res *http.Response) (*http.Response, error) {
	if res.StatusCode != http.StatusUnauthorized {
		return res, nil
	}
	_ = res.Body.Close()
	a.log.WarnContext(req.Context(), "the upstream refused the relay's key", "upstream", a.member.name, "request_id", a.call.ID)
	return nil, ErrKey
}

// Fingerprints returns the name of every upstream with the fingerprint of its
// key, "" for one without, for operators.
func (p *Pool) Fingerprints(of func(key string) string) map[string]string {
	prints := make(map[string]string, len(p.members))
	for _, m := range p.members {
		if prints[m.name] = ""; m.keys.all[0].secret != "" {
			prints[m.name] = of(m.keys.all[0].secret)
		}
	}
	return prints
}
