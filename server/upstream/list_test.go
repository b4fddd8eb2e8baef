package upstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// A lister is an upstream that lists models, and counts how often it is asked.
type lister struct {
	*httptest.Server
	asked  atomic.Int64
	answer atomic.Pointer[func(http.ResponseWriter, *http.Request)]
}

func newLister(t *testing.T, body string) *lister {
	t.Helper()
	l := &lister{}
	l.says(http.StatusOK, body)
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.asked.Add(1)
		(*l.answer.Load())(w, r)
	}))
	t.Cleanup(l.Close)
	return l
}

// says has the upstream answer so from now on.
func (l *lister) says(status int, body string) {
	l.does(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Openai-Processing-Ms", "1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func (l *lister) does(answer func(http.ResponseWriter, *http.Request)) { l.answer.Store(&answer) }

// data is a list of models of the given names.
func data(ids ...string) string {
	entries := make([]string, len(ids))
	for i, id := range ids {
		entries[i] = `{"id":"` + id + `","object":"model","created":1,"owned_by":"x"}`
	}
	return `{"object":"list","data":[` + strings.Join(entries, ",") + `]}`
}

// reading returns a request that reads the path, of a client that may use the
// models, all if none is named.
func reading(t *testing.T, path string, models ...string) *http.Request {
	t.Helper()
	req := plugintest.Request(t, "")
	req.Method, req.Body, req.GetBody, req.ContentLength = http.MethodGet, nil, nil, 0
	var err error
	if req.URL, err = req.URL.Parse(path); err != nil {
		t.Fatal(err)
	}
	plugins.CallOf(req.Context()).SetClient(plugins.Client{Name: "c", Models: models})
	return req
}

// listed asks for the list and returns the names in it.
func (p *Pool) listed(t *testing.T, req *http.Request) []string {
	t.Helper()
	res, err := p.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var list struct {
		Object string
		Data   []struct{ ID string }
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, json.Unmarshal(body, &list)); err != nil || int64(len(body)) != res.ContentLength {
		t.Fatalf("%s: %v, of length %d", body, err, res.ContentLength)
	}
	var ids []string
	for _, m := range list.Data {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestTheListIsThatOfAllUpstreams(t *testing.T) {
	a, b, c := newLister(t, data("gpt-1", "other", "both")), newLister(t, data("both", "claude-1")), newLister(t, data("gemini-1"))
	d := newLister(t, data("openai/gpt-2", "gpt-3", "real/gpt-3"))
	p := newPool(t, map[string]string{"KEY": "secret"}, map[string]Settings{
		"a": settings(a.URL, func(s *Settings) { s.Models, s.Priority, s.APIKeyEnv = []string{"gpt-*", "both"}, 1, "KEY" }),
		"b": settings(b.URL+"/v1", func(s *Settings) { s.Wires = []wire.Name{wire.Anthropic, wire.OpenAI} }),
		"c": settings(c.URL, func(s *Settings) { s.Wires = []wire.Name{wire.Gemini} }),
		"d": settings(d.URL, func(s *Settings) {
			s.Priority, s.Models = 2, []string{"gpt-3"}
			s.Rewrite = map[string]string{"gpt-2": "openai/gpt-2", "gpt-2-old": "openai/gpt-2", "gpt-3": "real/gpt-3", "gpt-4": "not-there"}
		}),
	})
	var auth atomic.Pointer[string]
	a.does(func(w http.ResponseWriter, r *http.Request) {
		got := r.Method + " " + r.RequestURI + " " + r.Header.Get("Authorization")
		auth.Store(&got)
		_, _ = io.WriteString(w, data("gpt-1", "other", "both"))
	})
	tests := []struct {
		name   string
		models []string
		want   []string
	}{
		{"every model", nil, []string{"both", "claude-1", "gpt-1", "gpt-2", "gpt-2-old", "gpt-3"}},
		{"a client's models", []string{"gpt-2*", "claude-1", "x"}, []string{"claude-1", "gpt-2", "gpt-2-old"}},
		{"no model at all", []string{"x"}, nil},
	}
	for _, tt := range tests {
		if got := p.listed(t, reading(t, "/v1/models?limit=1", tt.models...)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := *auth.Load(); got != "GET /models Bearer secret" {
		t.Errorf("the upstream was asked %q", got)
	}
	if a.asked.Load() != 1 || b.asked.Load() != 1 || d.asked.Load() != 1 || c.asked.Load() != 0 {
		t.Errorf("asked %d, %d, %d, %d times, want 1, 1, 1 and never the one of another API",
			a.asked.Load(), b.asked.Load(), d.asked.Load(), c.asked.Load())
	}
}

func TestTheListsForm(t *testing.T) {
	up := newLister(t, `{"x":{},"data":[ {"Id":1,"id" : "a\u002fb" , "object":"model","extra":{"n":1e400}} ,`+
		`{"type":"model","id":"claude","display_name":"Claude <1>","created_at":"2025-02-19T00:00:00Z"},{"id":"c","created":1700000000}]}`)
	p := newPool(t, nil, map[string]Settings{"up": settings(up.URL, func(s *Settings) { s.Rewrite = map[string]string{"alias": "a/b", "a/b": "a/b"} })})
	const (
		raw    = `{"Id":1,"id" : "a/b" , "object":"model","extra":{"n":1e400}}`
		alias  = `{"Id":1,"id" : "alias" , "object":"model","extra":{"n":1e400}}`
		claude = `{"type":"model","id":"claude","display_name":"Claude <1>","created_at":"2025-02-19T00:00:00Z","object":"model","created":0,"owned_by":"up"}`
		third  = `{"id":"c","created":1700000000,"object":"model","owned_by":"up"}`
	)
	const anthropic = `{"data":[{"type":"model","id":"a/b","display_name":"a/b","created_at":"1970-01-01T00:00:00Z"},` +
		`{"type":"model","id":"claude","display_name":"Claude \u003c1\u003e","created_at":"2025-02-19T00:00:00Z"},` +
		`{"type":"model","id":"c","display_name":"c","created_at":"2023-11-14T22:13:20Z"}],"has_more":false,"first_id":"a/b","last_id":"c"}`
	tests := []struct {
		name, line, version string
		models              []string
		want                string // of the body; "" is none
	}{
		{"OpenAI's", "GET /v1/models", "", nil, `{"object":"list","data":[` + raw + `,` + alias + `,` + claude + `,` + third + `]}`},
		{"OpenAI's, empty", "GET /v1/models", "", []string{"x"}, `{"object":"list","data":[]}`},
		{"Anthropic's", "GET /v1/models", "2023-06-01", []string{"a/*", "c*"}, anthropic},
		{"Anthropic's, empty", "GET /v1/models", "2023-06-01", []string{"x"}, `{"data":[],"has_more":false,"first_id":null,"last_id":null}`},
		{"a header alone", "HEAD /v1/models", "", []string{"c"}, ``},
		{"an escaped path", "GET /v1/model%73", "", []string{"c"}, `{"object":"list","data":[` + third + `]}`},
		{"one of them", "GET /v1/models/c", "", nil, third},
		{"one with a slash", "GET /v1/models/a/b", "", nil, raw},
		{"one with an escaped slash", "GET /v1/models/a%2Fb", "", nil, raw},
		{"one by its alias", "GET /v1/models/alias", "", nil, alias},
		{"one in Anthropic's form", "GET /v1/models/c", "2023-06-01", nil, `{"type":"model","id":"c","display_name":"c","created_at":"2023-11-14T22:13:20Z"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			method, path, _ := strings.Cut(tt.line, " ")
			req := reading(t, path, tt.models...)
			req.Method = method
			if tt.version != "" {
				req.Header.Set("Anthropic-Version", tt.version)
			}
			res, err := p.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if diff := cmp.Diff(string(body), tt.want); diff != "" || err != nil {
				t.Errorf("body (-got +want):\n%s%v", diff, err)
			}
			length := fmt.Sprint(res.ContentLength)
			want := http.Header{"Content-Type": {"application/json"}, "Content-Length": {length}}
			if diff := cmp.Diff(res.Header, want); diff != "" || method == http.MethodGet && length != fmt.Sprint(len(body)) || length == "0" {
				t.Errorf("header (-got +want):\n%s", diff)
			}
		})
	}
	for _, path := range []string{"/v1/models/nobody", "/v1/models/", "/v1/models/ft:a:b::c"} {
		if res, err := p.RoundTrip(reading(t, path)); !errors.Is(err, ErrModel) {
			t.Errorf("%s: %v, %v, want %v", path, res, err, ErrModel)
		}
	}
	if res, err := p.RoundTrip(reading(t, "/v1/models/c", "a/*")); !errors.Is(err, ErrModel) {
		t.Errorf("a model that the client may not use: %v, %v, want %v", res, err, ErrModel)
	}
	if n := up.asked.Load(); n != 1 {
		t.Errorf("the upstream was asked %d times, want once", n)
	}
}

func TestWhatIsNoListGoesToAnUpstream(t *testing.T) {
	up := newLister(t, data("a"))
	p := newPool(t, nil, map[string]Settings{"up": settings(up.URL, nil)})
	for i, line := range []string{"DELETE /v1/models/a", "POST /v1/models", "GET /v1/modelsx", "GET /v1/files"} {
		method, path, _ := strings.Cut(line, " ")
		req := reading(t, path)
		req.Method = method
		res, err := p.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if n := up.asked.Load(); n != int64(i+1) || res.Header.Get("Openai-Processing-Ms") == "" {
			t.Errorf("%s: the upstream was asked %d times, want %d", line, n, i+1)
		}
	}
}

// A list without pages, of an upstream of Anthropic's wire.
func TestAnthropicsListIsAskedForInItsForm(t *testing.T) {
	up := newLister(t, "")
	var got string
	up.does(func(w http.ResponseWriter, r *http.Request) {
		got = r.RequestURI + " " + r.Header.Get("Anthropic-Version")
		_, _ = io.WriteString(w, `{"data":[{"type":"model","id":"claude"}],"has_more":false}`)
	})
	p := newPool(t, nil, map[string]Settings{"up": settings(up.URL+"/v1", func(s *Settings) { s.Wires = []wire.Name{wire.Anthropic} })})
	ids := p.listed(t, reading(t, "/v1/models"))
	if want := "/v1/models?limit=1000 2023-06-01"; got != want || !slices.Equal(ids, []string{"claude"}) {
		t.Errorf("asked %q for %q, want %q", got, ids, want)
	}
}

// A listClock is a clock that tests move.
type listClock struct{ at atomic.Int64 }

func (c *listClock) now() time.Time       { return time.Unix(1_700_000_000, c.at.Load()) }
func (c *listClock) pass(d time.Duration) { c.at.Add(int64(d)) }
