package upstream

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// spent returns what was spent by the metrics of env, by "model price".
func spent(t *testing.T, env plugins.Env) map[string]float64 {
	t.Helper()
	found := map[string]float64{}
	for name, value := range gathered(t, env) {
		const prefix = "relay_cost_"
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			found[name[len(prefix):]] = value
		}
	}
	return found
}

func TestWhatAnswersCostIsCounted(t *testing.T) {
	prices := plugins.Prices{
		"gpt":    {Input: 1000, Output: 10_000, Direct: &plugins.DirectPrice{Input: 3000, Output: 20_000}},
		"claude": {Output: 1_000_000},
		"deep*":  {Input: 500},
	}
	body := `{"model":"gpt-of-2025","usage":{"prompt_tokens":10,"completion_tokens":5}}`
	for _, tt := range []struct {
		name, asked string
		routed      bool // an upstream goes by models
		down        bool // the upstream of gpt cannot be reached
		want        map[string]float64
	}{
		{"the model that was asked for", "gpt", true, false, map[string]float64{
			"dollars_total gpt upstream": 0.06, "dollars_total gpt direct": 0.13, "unpriced_tokens_total": 0,
		}},
		{"no upstream goes by models", "gpt", false, false, map[string]float64{
			"dollars_total gpt upstream": 0.06, "dollars_total gpt direct": 0.13, "unpriced_tokens_total": 0,
		}},
		{"the model that another fell back on", "gpt", true, true, map[string]float64{
			"dollars_total claude upstream": 5, "dollars_total claude direct": 5, "unpriced_tokens_total": 0,
		}},
		{"a glob is the label of what it fits", "deep-sheep", false, false, map[string]float64{
			"dollars_total deep* upstream": 0.005, "dollars_total deep* direct": 0.005, "unpriced_tokens_total": 0,
		}},
		{"a model without a price", "llama", false, false, map[string]float64{"unpriced_tokens_total": 15}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := plugintest.Env(t, nil)
			env.Prices = prices
			c := Config{Upstreams: map[string]Settings{"all": at(0, 1)}, Health: HealthDefaults()}
			if tt.routed {
				c.Upstreams = map[string]Settings{"g": at(0, 1, "gpt"), "c": at(0, 1, "claude")}
				c.Fallbacks = map[string][]string{"gpt": {"claude"}}
			}
			p, err := New(c, env)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range p.members {
				m.client = plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
					if tt.down && m.name == "g" {
						return nil, errors.New("down")
					}
					res := plugintest.Response(req, http.StatusOK, body)
					res.Header.Set("Content-Type", "application/json")
					return res, nil
				})
			}
			req := plugintest.Request(t, `{"model":"`+tt.asked+`"}`)
			res, err := p.RoundTrip(req)
			if tt.down {
				res, err = p.RoundTrip(req)
			}
			if _, err := readAll(t, res, err); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, spent(t, env), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
				t.Errorf("spent (-want +got):\n%s", diff)
			}
		})
	}
}

// When an answer ends before its question, as an early error or a fast one may,
// nobody may wait for the rest of the question to learn its model.
func TestTheModelIsReadBeforeTheUpstreamIsAsked(t *testing.T) {
	asked := false
	call := plugins.NewCall("", func() plugins.Ask { asked = true; return plugins.Ask{} })
	p, err := New(Config{Upstreams: map[string]Settings{"all": at(0, 1)}, Health: HealthDefaults()}, plugintest.Env(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	p.members[0].client = plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		if !asked {
			t.Error("nobody has read what is asked")
		}
		return plugintest.Response(req, http.StatusOK, "{}"), nil
	})
	req := plugintest.Request(t, `{"model":"e"}`)
	req.URL.Path = "/v1/embeddings"
	res, err := p.RoundTrip(req.WithContext(plugins.WithCall(req.Context(), call)))
	if _, err := readAll(t, res, err); err != nil {
		t.Fatal(err)
	}
}
