package cache_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// A question is a request of which a test knows whether it may be cached.
type question struct{ name, path, body string }

// asks asks everything twice: what may be cached is a hit then. The upstream
// gets every body untouched.
func asks(t *testing.T, want string, questions []question) {
	t.Helper()
	for _, q := range questions {
		t.Run(q.name, func(t *testing.T) {
			upstream := plugintest.Answers(200)
			rt := caching(t, upstream, nil)
			if got := statuses(t, rt, 2, func() *http.Request { return to(t, q.path, q.body) }); got != want {
				t.Errorf("X-Cache = %q, want %q", got, want)
			}
			for _, body := range upstream.Bodies() {
				if body != q.body {
					t.Errorf("the upstream got %q, want it untouched", body)
				}
			}
		})
	}
}

func TestCached(t *testing.T) {
	asks(t, "MISS HIT", []question{
		{"temperature 0", "/v1/chat/completions", `{"temperature":0}`},
		{"temperature 0 in other words", "/v1/chat/completions", `{"temperature":-0.0e5}`},
		{"a seed", "/v1/chat/completions", `{"temperature":1,"seed":7}`},
		{"n is 1", "/v1/completions", `{"temperature":0,"n":1}`},
		{"n is null", "/v1/completions", `{"temperature":0,"n":null,"prompt":"x"}`},
		{"temperature 0 for Anthropic", "/v1/messages", `{"temperature":0}`},
		{"an embedding", "/v1/embeddings", `{"input":"x"}`},
		{"a moderation", "/v1/moderations", `{"input":"x"}`},
		{"a reranking", "/v1/rerank", `{"query":"x"}`},
		{"a response that is not stored", "/v1/responses", `{"temperature":0,"store":false}`},
		{"a function", "/v1/chat/completions", `{"seed":1,"tools":[{"type":"function","function":{}},{"type":"custom"}]}`},
		{"a function for Anthropic", "/v1/messages", `{"temperature":0,"tools":[{"name":"f","input_schema":{}}]}`},
		{"no tools", "/v1/chat/completions", `{"seed":1,"tools":null}`},
		{"members that are off", "/v1/chat/completions", `{"seed":1,"store":null,"stream":false,"audio":null}`},
		{"a query", "/v1/embeddings?api-version=1", `{"input":"x"}`},
	})
}

func TestSampledIsBypassed(t *testing.T) {
	asks(t, "BYPASS BYPASS", []question{
		{"no temperature", "/v1/chat/completions", `{}`},
		{"a temperature", "/v1/chat/completions", `{"temperature":0.1}`},
		{"a temperature that is null", "/v1/chat/completions", `{"temperature":null}`},
		{"a temperature that is text", "/v1/chat/completions", `{"temperature":"0"}`},
		{"a seed that is null", "/v1/chat/completions", `{"seed":null}`},
		{"two choices", "/v1/chat/completions", `{"temperature":0,"n":2}`},
		{"a temperature inside of something", "/v1/chat/completions", `{"metadata":{"temperature":0}}`},
	})
}

func TestMoreThanAnAnswerIsBypassed(t *testing.T) {
	asks(t, "BYPASS BYPASS", []question{
		{"a response that is stored by default", "/v1/responses", `{"temperature":0}`},
		{"a response that is stored by null", "/v1/responses", `{"temperature":0,"store":null}`},
		{"a response that goes on", "/v1/responses", `{"temperature":0,"store":false,"previous_response_id":"r"}`},
		{"a response in a conversation", "/v1/responses", `{"temperature":0,"store":false,"conversation":{}}`},
		{"a response in the background", "/v1/responses", `{"temperature":0,"store":false,"background":true}`},
		{"a stored prompt", "/v1/responses", `{"temperature":0,"store":false,"prompt":{"id":"p"}}`},
		{"a chat that is stored", "/v1/chat/completions", `{"temperature":0,"store":true}`},
		{"a spoken answer", "/v1/chat/completions", `{"temperature":0,"audio":{"voice":"x"}}`},
		{"a search", "/v1/chat/completions", `{"temperature":0,"web_search_options":{}}`},
		{"a hosted tool", "/v1/chat/completions", `{"temperature":0,"tools":[{"type":"function"},{"type":"web_search"}]}`},
		{"a hosted tool for Anthropic", "/v1/messages", `{"temperature":0,"tools":[{"type":"code_execution_20250522","name":"x"}]}`},
		{"a tool of which nothing is known", "/v1/chat/completions", `{"temperature":0,"tools":[{"name":"web_search"}]}`},
		{"tools that are no list", "/v1/chat/completions", `{"temperature":0,"tools":{"a":1}}`},
		{"a tool that is no object", "/v1/chat/completions", `{"temperature":0,"tools":["a"]}`},
	})
}

func TestWhatCannotBeReadIsBypassed(t *testing.T) {
	asks(t, "BYPASS BYPASS", []question{
		{"a member twice", "/v1/embeddings", `{"input":"x","input":"x"}`},
		{"a member twice, far inside", "/v1/embeddings", `{"input":[{"a":1,"\u0061":1}]}`},
		{"a model in two spellings", "/v1/embeddings", `{"model":"x","Model":"y"}`},
		{"no text", "/v1/embeddings", "{\"input\":\"\xff\"}"},
		{"more members than are put in order", "/v1/embeddings", `{"input":[` + strings.Repeat(`{"a":1},`, 1<<15) + `1]}`},
		{"no JSON", "/v1/embeddings", `input=x`},
		{"a stream that is text", "/v1/embeddings", `{"input":"x","stream":"true"}`},
		{"what a stream is to have, twice", "/v1/chat/completions", `{"seed":1,"stream_options":null,"stream_options":{}}`},
		{"no body", "/v1/embeddings", ``},
		{"too long a body", "/v1/embeddings", `{"input":"` + strings.Repeat("x", 1<<20) + `"}`},
		{"images", "/v1/images/generations", `{"seed":1}`},
		{"speech", "/v1/audio/speech", `{"seed":1}`},
		{"batches", "/v1/batches", `{"seed":1}`},
		{"a path in another spelling", "/v1/chat%2Fcompletions", `{"seed":1}`},
		{"a path that goes on", "/v1/embeddings/", `{"seed":1}`},
	})
}

func TestRequestHeaders(t *testing.T) {
	tests := []struct {
		name, key, value, want string
	}{
		{"an id of the request", "X-Request-Id", "r", "MISS HIT"},
		{"a type with a character set", "Content-Type", "application/json; charset=UTF-8", "MISS HIT"},
		{"no type", "Content-Type", "", "MISS HIT"},
		{"another character set", "Content-Type", "application/json; charset=utf-16", "BYPASS BYPASS"},
		{"another type", "Content-Type", "text/plain", "BYPASS BYPASS"},
		{"a coding", "Content-Encoding", "gzip", "BYPASS BYPASS"},
		{"no coding", "Content-Encoding", "identity", "MISS HIT"},
		{"a key of its own", "Idempotency-Key", "k", "BYPASS BYPASS"},
		{"store nothing", "Cache-Control", "max-age=5, No-Store", "BYPASS BYPASS"},
		{"ask anew", "Cache-Control", "no-cache", "MISS MISS"},
		{"something unknown", "Cache-Control", "no-transform", "MISS HIT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rt := caching(t, plugintest.Answers(200), nil)
			got := statuses(t, rt, 2, func() *http.Request {
				req := plugintest.Request(t, greedy)
				req.Header.Set(tt.key, tt.value)
				if tt.value == "" {
					req.Header.Del(tt.key)
				}
				return req
			})
			if got != tt.want {
				t.Errorf("X-Cache = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOtherRequests(t *testing.T) {
	refusing := func() (io.ReadCloser, error) { return nil, plugins.ErrBodyGone }
	failing := func() (io.ReadCloser, error) { return io.NopCloser(failingReader{}), nil }
	tests := []struct {
		name   string
		change func(*http.Request)
	}{
		{"GET", func(r *http.Request) { r.Method = http.MethodGet }},
		{"PUT", func(r *http.Request) { r.Method = http.MethodPut }},
		{"trailers", func(r *http.Request) { r.Trailer = http.Header{"X-A": nil} }},
		{"a body that is gone", func(r *http.Request) { r.GetBody = refusing }},
		{"a body that breaks off", func(r *http.Request) { r.GetBody = failing }},
		{"a body that cannot be read again", func(r *http.Request) { r.GetBody = nil }},
		{"a body that is said to be too long", func(r *http.Request) { r.ContentLength = 1<<20 + 1 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			upstream := plugintest.Answers(200)
			rt := caching(t, upstream, nil)
			got := statuses(t, rt, 2, func() *http.Request {
				req := plugintest.Request(t, greedy)
				tt.change(req)
				return req
			})
			if got != "BYPASS BYPASS" || upstream.Asked() != 2 || upstream.Bodies()[1] != greedy {
				t.Errorf("X-Cache = %q, asked for %q, want a bypass and the body", got, upstream.Bodies())
			}
		})
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("gone") }

func TestSettingsSayWhatIsCached(t *testing.T) {
	tests := []struct {
		name, path, body string
		change           func(*cache.Settings)
		want             string
	}{
		{"a draw that is opted in", "/v1/chat/completions", `{"n":2}`, func(s *cache.Settings) { s.Sampled = true }, "MISS HIT"},
		{"an effect all the same", "/v1/responses", `{}`, func(s *cache.Settings) { s.Sampled = true }, "BYPASS BYPASS"},
		{"the cache is off", "/v1/embeddings", `{}`, func(s *cache.Settings) { s.TTL = 0 }, "BYPASS BYPASS"},
		{"no endpoint", "/v1/embeddings", `{}`, func(s *cache.Settings) { s.Endpoints = nil }, "BYPASS BYPASS"},
		{"an asterisk", "/a/b/embeddings", `{}`, func(s *cache.Settings) { s.Endpoints = []string{"/a/*/embeddings"} }, "MISS HIT"},
		{"an asterisk is never a file", "/v1/images/generations", `{"seed":1}`, func(s *cache.Settings) { s.Endpoints = []string{"/v1/*/generations"} }, "BYPASS BYPASS"},
		{"an asterisk is never a file, in any spelling", "/v1/%69mages/generations", `{"seed":1}`, func(s *cache.Settings) { s.Endpoints = []string{"/v1/*/generations"} }, "BYPASS BYPASS"},
		{"an asterisk is one segment", "/a/b/c/embeddings", `{}`, func(s *cache.Settings) { s.Endpoints = []string{"/a/*/embeddings"} }, "BYPASS BYPASS"},
		{"a body as long as allowed", "/v1/embeddings", `{"a":1}`, func(s *cache.Settings) { s.MaxBody = 7 }, "MISS HIT"},
		{"a moderation that is opted in", "/v1/moderations", `{"input":"x"}`, func(s *cache.Settings) { s.Sampled = true }, "MISS HIT"},
		{"a body one byte longer", "/v1/embeddings", `{"a":10}`, func(s *cache.Settings) { s.MaxBody = 7 }, "BYPASS BYPASS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rt := caching(t, plugintest.Answers(200), tt.change)
			got := statuses(t, rt, 2, func() *http.Request {
				req := to(t, tt.path, tt.body)
				req.ContentLength = -1 // in chunks: only reading tells
				return req
			})
			if got != tt.want {
				t.Errorf("X-Cache = %q, want %q", got, tt.want)
			}
		})
	}
}
