package cache_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// answering returns an upstream whose every answer is changed.
func answering(body string, change func(*http.Response)) *plugintest.Upstream {
	u := &plugintest.Upstream{}
	return u.Then(func(req *http.Request) (*http.Response, error) {
		res := plugintest.Response(req, 200, body)
		change(res)
		return res, nil
	})
}

// A reply is an answer of which a test knows whether it may be stored.
type reply struct {
	name, body string
	change     func(*http.Response)
}

func header(key, value string) func(*http.Response) {
	return func(r *http.Response) { r.Header.Set(key, value) }
}

func asItIs(*http.Response) {}

// trailing is a body that brings a trailer with its end, as HTTP/2 may.
type trailing struct {
	io.ReadCloser
	res *http.Response
}

func (b *trailing) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.res.Trailer = http.Header{"X-A": {"1"}}
	}
	return n, err
}

// replies asks twice: an answer that was stored is a hit then. It has the same
// body either way.
func replies(t *testing.T, want string, all []reply) {
	t.Helper()
	for _, r := range all {
		t.Run(r.name, func(t *testing.T) {
			rt := caching(t, answering(r.body, r.change), nil)
			first := ask(t, rt, plugintest.Request(t, greedy))
			second := ask(t, rt, plugintest.Request(t, greedy))
			if got := first.cache + " " + second.cache; got != want {
				t.Errorf("X-Cache = %q, want %q", got, want)
			}
			if first.body != r.body || second.body != r.body {
				t.Errorf("bodies of %d and %d bytes, want %d", len(first.body), len(second.body), len(r.body))
			}
		})
	}
}

// text returns a JSON text of n bytes.
func text(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }

func TestStored(t *testing.T) {
	replies(t, "MISS HIT", []reply{
		{"JSON", `{}`, asItIs},
		{"JSON with a character set", `{}`, header("Content-Type", "application/json; charset=utf-8")},
		{"of unknown length", `{"a":[1,2]}`, func(r *http.Response) { r.ContentLength = -1 }},
		{"no error", `{"error":null}`, asItIs},
		{"not encoded, which it says", `{}`, header("Content-Encoding", "Identity")},
		{"not encoded, by an empty header", `{}`, header("Content-Encoding", "")},
		{"not an error", `{"object":"list"}`, asItIs},
		{"choices that have ended", `{"choices":[{"finish_reason":"length"}],"status":"completed","stop_reason":"end_turn"}`, asItIs},
		{"as long as allowed", text(1 << 20), asItIs},
		{"varies by what is in the key", `{}`, header("Vary", "Origin, accept-encoding,OpenAI-Beta")},
	})
}

func TestNotStored(t *testing.T) {
	replies(t, "MISS MISS", []reply{
		{"not a 200", `{}`, func(r *http.Response) { r.StatusCode = 201 }},
		{"an error", `{}`, func(r *http.Response) { r.StatusCode = 500 }},
		{"a part", `{}`, func(r *http.Response) { r.StatusCode = 206 }},
		{"an error with status 200", `{"error":{"message":"x"}}`, asItIs},
		{"an error that is an object", `{"object":"error","message":"x","code":500}`, asItIs},
		{"a choice that ended in an error", `{"choices":[{"finish_reason":"stop"},{"finish_reason":"error"}]}`, asItIs},
		{"a response that failed", `{"object":"response","status":"failed","error":null}`, asItIs},
		{"a response that is incomplete", `{"object":"response","status":"incomplete"}`, asItIs},
		{"a message that was stopped by an error", `{"type":"message","stop_reason":"error"}`, asItIs},
		{"an error that says that it is not encoded", `{"error":{"message":"x"}}`, header("Content-Encoding", "identity")},
		{"encoded", "\x1f\x8b", header("Content-Encoding", "gzip")},
		{"encoded, and maybe cut", "\x1f\x8b", func(r *http.Response) {
			r.Header["Content-Encoding"], r.ContentLength = []string{"gzip"}, -1
		}},
		{"encoded twice", `{}`, func(r *http.Response) { r.Header["Content-Encoding"] = []string{"identity", "br"} }},
		{"half of a JSON text", `{"a":`, asItIs},
		{"empty", ``, asItIs},
		{"a cookie", `{}`, header("Set-Cookie", "a=b")},
		{"not to be stored", `{}`, header("Cache-Control", "NO-STORE")},
		{"to be asked for again each time", `{}`, header("Cache-Control", "no-cache")},
		{"old at once", `{}`, header("Cache-Control", "max-age=0, must-revalidate")},
		{"old at once for shared caches", `{}`, header("Cache-Control", "max-age=60, s-maxage=0")},
		{"as old as it may be", `{}`, func(r *http.Response) {
			r.Header["Cache-Control"], r.Header["Age"] = []string{"max-age=5"}, []string{"5"}
		}},
		{"private", `{}`, header("Cache-Control", `private="x", max-age=5`)},
		{"varies by anything", `{}`, header("Vary", "*")},
		{"varies by what is not in the key", `{}`, header("Vary", "Accept, X-Tier")},
		{"trailers", `{}`, func(r *http.Response) { r.Trailer = http.Header{"X-A": nil} }},
		{"trailers that only the end shows", `{}`, func(r *http.Response) { r.Body = &trailing{r.Body, r} }},
		{"a stream", `{}`, header("Content-Type", "text/event-stream")},
		{"a page", `{}`, header("Content-Type", "text/html")},
		{"no type", `{}`, func(r *http.Response) { r.Header.Del("Content-Type") }},
		{"too long", text(1<<20 + 1), asItIs},
		{"too long, which only reading tells", text(1<<20 + 1), func(r *http.Response) { r.ContentLength = -1 }},
		{"shorter than it says", `{}`, func(r *http.Response) { r.ContentLength = 3 }},
		{"longer than it says", `{}`, func(r *http.Response) { r.ContentLength = 1 }},
	})
}

// TestSomeOfAnAnswerIsNotStored cuts an answer at each of its bytes, at the
// client and at the upstream.
func TestSomeOfAnAnswerIsNotStored(t *testing.T) {
	const body = `[1,[2],{"3":"4"}]`
	broken := errors.New("broken off")
	for cut := range len(body) + 1 {
		upstream := &plugintest.Upstream{}
		breaksOff := iotest.ErrReader(broken)
		upstream.Then(func(req *http.Request) (*http.Response, error) {
			res := plugintest.Response(req, 200, "")
			res.ContentLength = -1
			res.Body = io.NopCloser(io.MultiReader(strings.NewReader(body[:cut]), until{req.Context()}))
			return res, nil
		})
		upstream.Then(func(req *http.Request) (*http.Response, error) {
			res := plugintest.Response(req, 200, body)
			res.ContentLength = -1
			res.Body = io.NopCloser(io.MultiReader(strings.NewReader(body[:cut]), breaksOff))
			return res, nil
		})
		rt := caching(t, upstream, nil)

		res, err := rt.RoundTrip(plugintest.Request(t, greedy))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(res.Body, make([]byte, cut)); err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close() // the client leaves

		res, err = rt.RoundTrip(plugintest.Request(t, greedy))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(res.Body); !errors.Is(err, broken) || string(got) != body[:cut] {
			t.Errorf("cut at %d: read %q, %v, want %q and the upstream's error", cut, got, err, body[:cut])
		}
		_ = res.Body.Close()
		if upstream.Asked() != 2 {
			t.Errorf("cut at %d: asked %d times, want 2: half an answer was stored", cut, upstream.Asked())
		}
	}
}

// until is a body of which no more comes before its request has ended.
type until struct{ ctx context.Context }

func (u until) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, u.ctx.Err()
}

// TestAnswersOfAnotherModelAreNotStored asks twice, with a pool in front of the
// upstream that says which model answers.
func TestAnswersOfAnotherModelAreNotStored(t *testing.T) {
	for model, want := range map[string]string{"m": "MISS HIT", "": "MISS HIT", "other": "MISS MISS"} {
		upstream := plugintest.Answers(200)
		rt := caching(t, plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			a := &plugins.Attempt{}
			a.Begin("a", "", model, 0)
			plugins.CallOf(req.Context()).Trail.Begin(a)
			return upstream.RoundTrip(req)
		}), nil)
		got := statuses(t, rt, 2, func() *http.Request { return plugintest.Request(t, greedy) })
		if got != want {
			t.Errorf("answered by %q: %s, want %s", model, got, want)
		}
	}
}

// TestRecordingDelaysNothing reads an answer of which the rest has not come.
func TestRecordingDelaysNothing(t *testing.T) {
	rest, send := io.Pipe()
	rt := caching(t, answering("", func(res *http.Response) {
		res.ContentLength = -1
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(strings.NewReader(`{"a":`), rest), rest}
	}), func(s *cache.Settings) { s.MaxValue = 100 })
	res, err := rt.RoundTrip(plugintest.Request(t, greedy))
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 100)
	if n, err := res.Body.Read(first); string(first[:n]) != `{"a":` || err != nil {
		t.Errorf("Read = %q, %v, want the piece that has come", first[:n], err)
	}
	go func() { // ends when the body has been read
		_, _ = send.Write([]byte(`1}`))
		_ = send.Close()
	}()
	if all, err := io.ReadAll(res.Body); string(all) != `1}` || err != nil {
		t.Errorf("ReadAll = %q, %v, want the rest", all, err)
	}
	_ = res.Body.Close()
	hit := ask(t, rt, plugintest.Request(t, greedy))
	if want := []byte(`{"a":1}`); hit.cache != "HIT" || !bytes.Equal([]byte(hit.body), want) {
		t.Errorf("got %s, %q, want a hit with %q", hit.cache, hit.body, want)
	}
}
