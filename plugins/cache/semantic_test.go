package cache_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// meanings are texts and their embeddings: the first two are near.
var meanings = map[string][]float32{
	"How tall is a sheep?":      {1, 0.1, 0},
	"What height has a sheep?":  {1, 0.2, 0},
	"How old is a sheep?":       {0, 1, 0.1},
	"How tall is a sheep?\nAnd": {0, 0, 1},
}

// embedding is an upstream that knows the meanings, and answers all else with
// the number of the call.
type embedding struct {
	fail           func() (int, error) // of embeddings; nil is well
	pause          time.Duration
	asked, embeded atomic.Int32
	seen           atomic.Value // the last request for an embedding
}

func (e *embedding) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if req.URL.Path != "/v1/embeddings" {
		return plugintest.Response(req, 200, fmt.Sprintf(`{"n":%d}`, e.asked.Add(1))), nil
	}
	e.embeded.Add(1)
	call := plugins.CallOf(req.Context())
	client, _ := call.Client()
	e.seen.Store(fmt.Sprintf("%s %s %s", client.Name, call.Ask().Model, body))
	if err := wait(req.Context(), e.pause); err != nil {
		return nil, err
	}
	if e.fail != nil {
		if status, err := e.fail(); err != nil || status != 200 {
			return plugintest.Response(req, status, `{}`), err
		}
	}
	var in struct{ Input string }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	vector, _ := json.Marshal(meanings[in.Input])
	return plugintest.Response(req, 200, `{"data":[{"embedding":`+string(vector)+`}]}`), nil
}

// comparing turns the semantic cache on.
func comparing(s *cache.Settings) {
	s.Semantic.Enabled, s.Semantic.Model, s.TTLJitter = true, "embedder", 0
}

func says(text string) string {
	return `{"model":"m","temperature":0,"messages":[{"role":"system","content":"s"},{"role":"user","content":"` + text + `"}]}`
}

const tall, height, old = "How tall is a sheep?", "What height has a sheep?", "How old is a sheep?"

// TestQuestionsThatMeanTheSame asks one question, and then another.
func TestQuestionsThatMeanTheSame(t *testing.T) {
	parts := func(text string) string {
		return strings.Replace(says("X"), `"X"`, `[{"type":"text","text":"`+text+`"}]`, 1)
	}
	tests := []struct {
		name, first, second string
		change              func(*cache.Settings)
		path                string
		client              string // of the second
		want, score         string
	}{
		{name: "the same in other words", first: says(tall), second: says(height), want: "HIT", score: "0.9952"},
		{name: "the same in the same words", first: says(tall), second: says(tall), want: "HIT"},
		{name: "in parts", first: parts(tall), second: parts(height), want: "HIT", score: "0.9952"},
		{name: "in a part and as text", first: parts(tall), second: says(height), want: "HIT", score: "0.9952"},
		{name: "to Anthropic", first: says(tall), second: says(height), path: "/v1/messages", want: "HIT", score: "0.9952"},
		{name: "something else", first: says(tall), second: says(old), want: "MISS"},
		{name: "not near enough", first: says(tall), second: says(height), change: func(s *cache.Settings) { s.Semantic.Threshold = 0.999 }, want: "MISS"},
		{name: "another client", first: says(tall), second: says(height), client: "bob", want: "MISS"},
		{name: "another model", first: says(tall), second: strings.Replace(says(height), `"m"`, `"n"`, 1), want: "MISS"},
		{name: "another system prompt", first: says(tall), second: strings.Replace(says(height), `"s"`, `"t"`, 1), want: "MISS"},
		{name: "another parameter", first: says(tall), second: strings.Replace(says(height), `"temperature"`, `"seed":1,"temperature"`, 1), want: "MISS"},
		{name: "a picture too", first: says(tall), second: strings.Replace(parts(height), `[{"type"`, `[{"type":"image_url"},{"type"`, 1), want: "MISS"},
		{name: "what an assistant says", first: says(tall), second: strings.Replace(says(height), `"user"`, `"assistant"`, 1), want: "MISS"},
		{name: "nothing", first: says(tall), second: says(" "), want: "MISS"},
		{name: "another endpoint", first: says(tall), second: says(height), path: "/v1/completions", want: "MISS"},
		{name: "off", first: says(tall), second: says(height), change: func(s *cache.Settings) { s.Semantic.Enabled = false }, want: "MISS"},
		{
			name: "on by a rule", first: says(tall), second: says(height), want: "HIT", score: "0.9952",
			change: func(s *cache.Settings) {
				on := true
				s.Semantic.Enabled, s.Rules = false, map[string]cache.Rule{"m": {Models: []string{"m"}, Semantic: &on}}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := &embedding{}
			rt := caching(t, e, func(s *cache.Settings) {
				comparing(s)
				if tt.change != nil {
					tt.change(s)
				}
			})
			by := func(client, body string) *http.Request {
				path := tt.path
				if path == "" {
					path = "/v1/chat/completions"
				}
				return plugintest.Client(to(t, path, body), client)
			}
			ask(t, rt, by("ada", tt.first))
			settle(t, rt)
			client := tt.client
			if client == "" {
				client = "ada"
			}
			second := by(client, tt.second)
			got := ask(t, rt, second)
			if score := plugins.CallOf(second.Context()).Header("X-Cache-Score"); got.cache != tt.want || score != tt.score {
				t.Errorf("a %s with score %q, want a %s with %q", got.cache, score, tt.want, tt.score)
			}
		})
	}
}

// settle waits until what was stored is spread.
func settle(t *testing.T, rt http.RoundTripper) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !cache.Idle(rt) && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
}

func TestTheEmbeddingIsAskedForByTheClient(t *testing.T) {
	e := &embedding{}
	rt := caching(t, e, func(s *cache.Settings) { comparing(s); s.Semantic.Dimensions = 3 })
	ask(t, rt, plugintest.Client(plugintest.Request(t, says(tall)), "ada"))
	const want = `ada embedder {"model":"embedder","input":"How tall is a sheep?","dimensions":3,"encoding_format":"float"}`
	if got := e.seen.Load(); got != want {
		t.Errorf("the embedding was asked for as %s, want %s", got, want)
	}
}

// Without its embedding a question is answered all the same.
func TestNoEmbedding(t *testing.T) {
	tests := []struct {
		name  string
		fail  func() (int, error)
		pause time.Duration
		takes time.Duration
	}{
		{"its upstream is not there", func() (int, error) { return 0, errors.New("unreachable") }, 0, 0},
		{"its upstream fails", func() (int, error) { return 500, nil }, 0, 0},
		{"it is too late", nil, time.Hour, 2 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				env := plugintest.Env(t, nil)
				registry := prometheus.NewRegistry()
				env.Metrics = registry
				e := &embedding{fail: tt.fail, pause: tt.pause}
				rt := plugintest.Link(t, cache.Plugin, env, comparing).Fetch(e)
				begin := time.Now()
				if got := ask(t, rt, plugintest.Request(t, says(tall))); got.cache != "MISS" || time.Since(begin) != tt.takes {
					t.Errorf("a %s after %s, want a MISS after %s", got.cache, time.Since(begin), tt.takes)
				}
				synctest.Wait()
				if got := ask(t, rt, plugintest.Request(t, says(tall))).cache; got != "HIT" {
					t.Errorf("the same question is a %s, want a HIT", got)
				}
				if n := metric(t, registry, "relay_cache_semantic_lookups_total", "error"); n != 1 {
					t.Errorf("%v errors, want 1", n)
				}
			})
		})
	}
}

// A purge, a reload and age do to these answers what they do to others.
func TestWhatEndsAMeaning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := plugintest.Env(t, nil)
		e := &embedding{}
		link := plugintest.Link(t, cache.Plugin, env, comparing)
		rt := link.Fetch(e)
		next := func(body, want string) {
			t.Helper()
			if got := ask(t, rt, plugintest.Request(t, body)).cache; got != want {
				t.Errorf("a %s, want a %s", got, want)
			}
			synctest.Wait()
		}
		next(says(tall), "MISS")
		next(says(height), "HIT")
		link = plugintest.Link(t, cache.Plugin, env, comparing)
		rt = link.Fetch(e)
		next(says(height), "HIT")
		operate(t, link, http.MethodDelete, "/cache?model=m")
		advance(time.Millisecond) // what began at that moment is not stored
		next(says(height), "MISS")
		next(says(tall), "HIT")
		advance(2 * time.Hour)
		next(says(tall), "MISS")
	})
}

// Many who ask the same at once have one embedding made.
func TestOneEmbeddingForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &embedding{pause: time.Second}
		rt := caching(t, e, comparing)
		together(t, rt, many(20, asker{body: says(tall)})...)
		if e.embeded.Load() != 1 || e.asked.Load() != 1 {
			t.Errorf("%d embeddings and %d calls, want one of each", e.embeded.Load(), e.asked.Load())
		}
	})
}
