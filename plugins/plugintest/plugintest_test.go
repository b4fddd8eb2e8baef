package plugintest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

func TestLinkLivesAsLongAsTheTest(t *testing.T) {
	var did []string
	p := plugins.Define("gate", func() gate { return gate{} }, func(_ gate, _ plugins.Env) (plugins.Link, error) {
		return plugins.Link{
			Start: func() { did = append(did, "start") },
			Close: func(ctx context.Context) error { did = append(did, "close"); return ctx.Err() },
		}, nil
	})
	t.Run("inner", func(t *testing.T) {
		Link(t, p, Env(t, nil), func(g *gate) { g.Rules = map[string]rule{"a": {}} })
		if want := []string{"start"}; !slices.Equal(did, want) {
			t.Errorf("the link did %q, want %q", did, want)
		}
	})
	if want := []string{"start", "close"}; !slices.Equal(did, want) {
		t.Errorf("the link did %q, want %q", did, want)
	}
}

func TestEnv(t *testing.T) {
	environ := map[string]string{"A": ""}
	env := Env(t, environ)
	environ["B"] = "later"
	if v, ok := env.LookupEnv("A"); v != "" || !ok {
		t.Errorf("A = %q, %t, want it set and empty", v, ok)
	}
	if v, ok := env.LookupEnv("B"); ok {
		t.Errorf("B = %q, want it not set", v)
	}
	env.Log.Debug("a line of the test's own output")
	broken := errors.New("broken")
	if _, err := env.Keep("a", func() (any, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("Keep: %v, want %v", err, broken)
	}
	if v, err := env.Keep("a", func() (any, error) { return 1, nil }); v != 1 || err != nil {
		t.Errorf("Keep = %v, %v, want 1: what failed is not kept", v, err)
	}
}

func TestRequest(t *testing.T) {
	const body = `{"model":"a"}`
	req := Client(Request(t, body), "alice")
	call := plugins.CallOf(req.Context())
	if client, known := call.Client(); client.Name != "alice" || !known || call.ID != "req-test" || call.Ask().Model != "a" {
		t.Errorf("the call is %q by %q for %q", call.ID, client.Name, call.Ask().Model)
	}
	again, err := req.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []io.Reader{req.Body, again} {
		if got, err := io.ReadAll(r); err != nil || string(got) != body {
			t.Errorf("the body = %q, %v, want %q", got, err, body)
		}
	}
	if req.URL.Host != "" || req.Host != "" {
		t.Errorf("the request has the host %q", req.URL.Host+req.Host)
	}
}

func TestUpstream(t *testing.T) {
	broken := errors.New("broken")
	u := Answers(503).Then(RoundTripFunc(func(*http.Request) (*http.Response, error) { return nil, broken }))
	u.Then(func(req *http.Request) (*http.Response, error) { return Response(req, 200, "done"), nil })
	var got []string
	for _, body := range []string{"a", "b", "c", "d"} {
		res, err := u.RoundTrip(Request(t, body))
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		text, err := io.ReadAll(res.Body)
		if err != nil || int64(len(text)) != res.ContentLength {
			t.Errorf("%d bytes and %v, want %d", len(text), err, res.ContentLength)
		}
		got = append(got, res.Status+" "+string(text))
	}
	want := []string{`503 Service Unavailable {"n":1}`, "broken", "200 OK done", "200 OK done"}
	if !slices.Equal(got, want) {
		t.Errorf("answers %q, want %q", got, want)
	}
	if u.Asked() != 4 || strings.Join(u.Bodies(), "") != "abcd" {
		t.Errorf("asked %d times, with %q", u.Asked(), u.Bodies())
	}
	req := Request(t, "")
	req.Body = io.NopCloser(io.MultiReader(strings.NewReader("e"), failing{}))
	if _, err := u.RoundTrip(req); !errors.Is(err, io.ErrUnexpectedEOF) || u.Asked() != 4 {
		t.Errorf("err = %v after %d requests, want a body that cannot be read to be none", err, u.Asked())
	}
}

func TestAnswersCount(t *testing.T) {
	u := Answers(200)
	for _, want := range []string{`{"n":1}`, `{"n":2}`} {
		res, err := u.RoundTrip(Request(t, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(res.Body); string(got) != want {
			t.Errorf("the body = %s, want %s", got, want)
		}
	}
}

// failing is a body that breaks off.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
