package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
)

// answersFor is a plugin that answers in place of the pool, with another model
// than the one that was asked for if the request's header X-Answered names it,
// and with the error called X-Error.
func answersFor(errs map[string]*plugins.Error) plugins.Plugin {
	return plugins.Define("answers", func() noSettings { return noSettings{} }, func(noSettings, plugins.Env) (plugins.Link, error) {
		return plugins.Link{Fetch: func(http.RoundTripper) http.RoundTripper {
			return roundTrip(func(req *http.Request) (*http.Response, error) {
				if e := errs[req.Header.Get("X-Error")]; e != nil {
					return nil, e
				}
				call, a := plugins.CallOf(req.Context()), &plugins.Attempt{}
				_ = call.Ask() // as the pool does
				a.Begin("up", "", req.Header.Get("X-Answered"), 0)
				call.Trail.Begin(a)
				res := &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}
				return res, nil
			})
		}}, nil
	})
}

func TestTheAccessLineTellsWhatWasUsed(t *testing.T) {
	tests := []struct {
		name, chain, answered string
		want                  map[string]any
	}{
		{"what was used", "metered, answers", "demo", map[string]any{"usage": "reported", "input_tokens": 7.0, "output_tokens": 11.0, "model_answered": nil, "cost_usd": nil, "direct_usd": nil}},
		{"what that costs", "metered, answers", "deepseek-v3.2", map[string]any{"usage": "reported", "model_answered": "deepseek-v3.2", "cost_usd": 0.00000756, "direct_usd": 0.0000504}},
		{"nothing that is known", "answers", "demo", map[string]any{"usage": nil, "input_tokens": nil, "output_tokens": nil, "model_answered": nil}},
		{"nothing that could cost", "answers", "gpt-4.1", map[string]any{"usage": nil, "cost_usd": nil}},
		{"another model", "answers", "other", map[string]any{"usage": nil, "input_tokens": nil, "output_tokens": nil, "model_answered": "other"}},
		{"no model", "answers", "", map[string]any{"usage": nil, "input_tokens": nil, "output_tokens": nil, "model_answered": nil}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &running{Log: &logs{}, Plugins: []plugins.Plugin{metered(), answersFor(nil)}}
			r.start(t, strings.Replace(whole, "limit, cache, retry", tt.chain, 1), "http://127.0.0.1:9/v1")
			_, err := r.call(t, speaks(t, "HTTP/1.1"), "/v1/chat/completions", strings.NewReader(unary), http.Header{"X-Answered": {tt.answered}}).rest()
			if err != nil {
				t.Fatal(err)
			}
			line := r.Log.access(t, "leaver")
			got := map[string]any{}
			for name := range tt.want {
				got[name] = line[name]
			}
			if line["model"] != "demo" {
				t.Errorf("model = %v, want the one that was asked for", line["model"])
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("fields (-got +want):\n%s", diff)
			}
		})
	}
}

// What one upstream did not do is told as it is, and nothing of whether another
// may do better.
func TestTheErrorsOfAnUpstreamPassAsTheyAre(t *testing.T) {
	errs := map[string]*plugins.Error{}
	for code, status := range map[string]int{
		"upstream_first_byte_timeout": 504, "upstream_idle_timeout": 504, "upstream_attempt_timeout": 504,
		"upstream_first_token_timeout": 504, "upstream_empty_stream": 502, "upstreams_busy": 503,
	} {
		errs[code] = &plugins.Error{Status: status, Type: "upstream_error", Code: code, Message: "a message", Again: true}
	}
	r := &running{Log: &logs{}, Plugins: []plugins.Plugin{answersFor(errs)}}
	r.start(t, strings.Replace(whole, "limit, cache, retry", "answers", 1), "http://127.0.0.1:9/v1")
	for code, e := range errs {
		req := r.request(t, http.MethodPost, "/v1/chat/completions", unary)
		req.Header.Set("X-Error", code)
		res, body := do(t, req)
		if res.StatusCode != e.Status || errorCode(body) != code || strings.Contains(strings.ToLower(body), "again") {
			t.Errorf("%s: %d %s, want %d", code, res.StatusCode, body, e.Status)
		}
	}
}

func TestTheUpstreamsAreShown(t *testing.T) {
	r := start(t, whole)
	res, body := get(t, r.AdminURL+"/upstreams")
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		t.Errorf("got %d %s, want JSON", res.StatusCode, body)
	}
}
