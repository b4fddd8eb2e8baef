package cache

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/canon"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// parts are what a key is made of.
type parts struct{ Client, Query, Accept, Language, Body string }

func (p parts) key(t testing.TB) (key, bool) {
	t.Helper()
	req := plugintest.Request(t, p.Body)
	req.URL.RawQuery = p.Query
	req.Header["Accept"] = []string{p.Accept}
	req.Header["Accept-Language"] = strings.Split(p.Language, "|")
	k, err := keyed(t, Defaults(), req, plugins.Client{Name: p.Client}, p.Body)
	return k, err == nil
}

// keyed returns the key of a request of the client.
func keyed(t testing.TB, s Settings, req *http.Request, c plugins.Client, body string) (key, error) {
	t.Helper()
	r := newRules(s)
	route, _ := wire.OfURL(req.URL)
	q := question{rule: &r.list[0], tenant: tenantIn(s.Scope, c, true), route: route}
	return r.keyOf(&q, req, []byte(body))
}

// FuzzKey moves bytes between the parts of a key: it is the same if and only if
// every part is.
func FuzzKey(f *testing.F) {
	f.Add("a", "q", "x", "y|z", "1", "a", "q", "x", "y|z", " 1")
	f.Add("ab", "", "x", "y|z", "1", "a", "b", "x", "y", "1")
	f.Add("a", "", "x", "y|z", "1", "a", "", "x", "yz|", "1")
	f.Add("a", "", "xy", "", "1", "a", "", "x", "y", "1")
	f.Fuzz(func(t *testing.T, c1, q1, a1, l1, b1, c2, q2, a2, l2, b2 string) {
		one, other := parts{c1, q1, a1, l1, b1}, parts{c2, q2, a2, l2, b2}
		k1, ok1 := one.key(t)
		k2, ok2 := other.key(t)
		if !ok1 || !ok2 {
			return
		}
		one.Body, other.Body = strings.TrimSpace(b1), strings.TrimSpace(b2)
		if one == other && k1 != k2 {
			t.Errorf("keys of equal %+v differ", one)
		}
		one.Body, other.Body = "", "" // these canon compares
		if one != other && k1 == k2 {
			t.Errorf("keys of %+v and %+v are equal", one, other)
		}
	})
}

// FuzzQuestion reads strangers' requests. None changes, and none whose stream
// or sampling is not in order becomes a question.
func FuzzQuestion(f *testing.F) {
	f.Add("/v1/embeddings", "no-cache, max-age=5", "application/json", `{"input":"x"}`)
	f.Add("/v1/chat/completions", `max-age="`, "", `{"temperature":0,"tools":[{"type":"function"}],"stream":null}`)
	f.Add("/v1/responses", "=,,", "application/json;charset", `{"store":false,"temperature":0,"prompt":{}}`)
	f.Fuzz(func(t *testing.T, path, control, kind, body string) {
		req := plugintest.Request(t, body)
		req.URL.Path = path
		req.Header = http.Header{"Cache-Control": {control}, "Content-Type": {kind}}
		before := req.Header.Clone()
		r := newRules(Defaults())
		q, why := r.question(req, plugins.CallOf(req.Context()))
		if diff := cmp.Diff(before, req.Header); diff != "" {
			t.Errorf("the header changed (-want +got):\n%s", diff)
		}
		if (why == "") != (q.place.Key != key{}) {
			t.Errorf("why = %q, key = %x, want one of them", why, q.place.Key)
		}
		if why != "" {
			return
		}
		if q.maxAge < 0 || !strings.HasPrefix(path, "/v1/") {
			t.Errorf("path %q, max age %v, want a default endpoint and an age", path, q.maxAge)
		}
		var said struct{ Stream, Background any }
		_, err := canon.Parse([]byte(body))
		if err != nil || json.Unmarshal([]byte(body), &said) == nil && (isOn(said.Stream) && said.Stream != true || isOn(said.Background)) {
			t.Errorf("%q is a question, want it to be none", body)
		}
	})
}

// isOn reports whether a member is there, and is neither null nor false.
func isOn(member any) bool { return member != nil && member != false }

func TestDirectives(t *testing.T) {
	tests := []struct {
		name  string
		lines []string
		want  directives
	}{
		{"none", nil, directives{maxAge: anyAge, sharedMaxAge: anyAge}},
		{"several, in any case", []string{"No-Cache, NO-STORE", "private"}, directives{true, true, true, false, anyAge, anyAge}},
		{"with fields", []string{`private="set-cookie", no-cache="x"`}, directives{true, false, true, false, anyAge, anyAge}},
		{"only what is stored", []string{"max-age=5,Only-If-Cached"}, directives{onlyIfCached: true, maxAge: 5 * time.Second, sharedMaxAge: anyAge}},
		{"the smallest age", []string{"max-age=5, max-age=60", "max-age=6"}, directives{maxAge: 5 * time.Second, sharedMaxAge: anyAge}},
		{"an age in quotation marks", []string{`max-age="5"`}, directives{maxAge: 5 * time.Second, sharedMaxAge: anyAge}},
		{"an age without a number", []string{"max-age"}, directives{sharedMaxAge: anyAge}},
		{"an age below 0", []string{"max-age=-1"}, directives{sharedMaxAge: anyAge}},
		{"an age without end", []string{"max-age=99999999999999999999"}, directives{sharedMaxAge: anyAge}},
		{"an age for shared caches", []string{"s-maxage=1, S-MaxAge=2"}, directives{maxAge: anyAge, sharedMaxAge: time.Second}},
		{"others", []string{"no-transform, ,=, nostore"}, directives{maxAge: anyAge, sharedMaxAge: anyAge}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := readDirectives(http.Header{"Cache-Control": tt.lines})
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(directives{})); diff != "" {
				t.Errorf("directives (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHeadersThatDoNotCount sends what says nothing about the answer: which
// coding the client takes, none being stored, and whose account it is, which
// the relay keeps from the upstream.
func TestHeadersThatDoNotCount(t *testing.T) {
	want, err := keyed(t, Defaults(), plugintest.Request(t, `{}`), plugins.Client{}, `{}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Accept-Encoding", "OpenAI-Organization", "OpenAI-Project"} {
		req := plugintest.Request(t, `{}`)
		req.Header.Set(name, "x")
		if got, _ := keyed(t, Defaults(), req, plugins.Client{}, `{}`); got != want {
			t.Errorf("%s changes the key, want it not to", name)
		}
	}
}

// TestKeyHeaders shows that a header of the settings counts, however it is
// spelled there.
func TestKeyHeaders(t *testing.T) {
	s := Defaults()
	s.Headers = []string{"x-TIER", "accept"}
	keys := map[key]string{}
	for _, tier := range []string{"", "a", "b"} {
		req := plugintest.Request(t, `{}`)
		if tier != "" {
			req.Header.Set("X-Tier", tier)
		}
		k, err := keyed(t, s, req, plugins.Client{}, `{}`)
		if err != nil {
			t.Fatal(err)
		}
		keys[k] = tier
	}
	if len(keys) != 3 {
		t.Errorf("keys of three tiers = %v, want three", keys)
	}
}
