package upstream

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins/plugintest"
)

const canary = "sk-very-secret"

// talkative is an upstream that repeats its key wherever a header may stand.
func talkative(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Link", "</style.css>")
		h.Set("X-Hint", "used "+canary)
		w.WriteHeader(http.StatusEarlyHints)
		h.Del("Link")
		h.Set("Trailer", "X-Announced, X-Sum")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "all is well")
		h.Set("X-Announced", canary)
		h.Set("X-Sum", "1")
		h.Set(http.TrailerPrefix+"X-Sudden", "with "+canary)
		h.Set(http.TrailerPrefix+"X-Time", "2")
	}
}

// seen is what reaches the client beside the body.
type seen struct{ Hints, Header, Trailer []string }

// names returns which of the headers that talkative sends are in h.
func names(h map[string][]string) []string {
	var found []string
	for _, name := range []string{"Link", "X-Announced", "X-Hint", "X-Sudden", "X-Sum", "X-Time"} {
		if len(h[name]) > 0 {
			found = append(found, name)
		}
	}
	return found
}

func TestTheKeyStaysOutOfHintsAndTrailers(t *testing.T) {
	tests := []struct {
		name   string
		http2  bool
		status int
	}{
		{"an answer by HTTP/1.1", false, http.StatusOK},
		{"an error by HTTP/1.1", false, http.StatusForbidden},
		{"an answer by HTTP/2", true, http.StatusOK},
		{"an error by HTTP/2", true, http.StatusForbidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			up := httptest.NewUnstartedServer(talkative(tt.status))
			up.EnableHTTP2 = tt.http2
			up.StartTLS()
			defer up.Close()
			p := newPool(t, map[string]string{"KEY": canary}, map[string]Settings{
				"one": settings(up.URL, func(s *Settings) { s.APIKeyEnv = "KEY" }),
			})
			p.members[0].client.(*conns).TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
			var got seen
			req := plugintest.Request(t, `{}`)
			req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
				Got1xxResponse: func(_ int, header textproto.MIMEHeader) error {
					got.Hints = names(header)
					return nil
				},
			}))
			res, err := p.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			if body, err := io.ReadAll(res.Body); string(body) != "all is well" || err != nil {
				t.Fatalf("body %q, %v", body, err)
			}
			if (res.ProtoMajor == 2) != tt.http2 {
				t.Fatalf("answered by %s", res.Proto)
			}
			got.Header, got.Trailer = names(res.Header), names(res.Trailer)
			want := seen{Hints: []string{"Link"}, Trailer: []string{"X-Sum", "X-Time"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the client sees (-want +got):\n%s", diff)
			}
		})
	}
}

// A URL has the key in escapes, and some upstreams repeat the URL.
func TestTheKeyIsHiddenWhereverItStood(t *testing.T) {
	const key = "sk/very+secret="
	for _, style := range styles() {
		if style == authNone {
			continue
		}
		t.Run(style, func(t *testing.T) {
			up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/elsewhere?"+r.URL.RawQuery)
				for name, values := range r.Header {
					w.Header().Set("X-Echo-"+name, values[0])
				}
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, place(r, key)[0]+" "+key+" "+r.URL.RawQuery)
			}))
			defer up.Close()
			p := newPool(t, map[string]string{"KEY": key}, map[string]Settings{
				"one": settings(up.URL, func(s *Settings) { s.APIKeyEnv, s.Auth = "KEY", style }),
			})
			res, err := p.RoundTrip(plugintest.Request(t, `{}`))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			if err != nil || len(body) == 0 {
				t.Fatalf("body %q, %v", body, err)
			}
			seen := fmt.Sprint(res.Header, string(body), res.Request.URL, res.Request.Header)
			for _, form := range forms(key) {
				if strings.Contains(seen, form) {
					t.Errorf("the client could see %q in %s", form, seen)
				}
			}
		})
	}
}

// The body of an upgrade is the connection: it must stay writable.
func TestAnUpgradedConnectionStaysOne(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\nX-Hint: "+canary+"\r\n\r\n")
	}))
	defer up.Close()
	p := newPool(t, map[string]string{"KEY": canary}, map[string]Settings{
		"one": settings(up.URL, func(s *Settings) { s.APIKeyEnv = "KEY" }),
	})
	req := plugintest.Request(t, ``)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "x")
	res, err := p.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, ok := res.Body.(io.ReadWriteCloser); !ok || strings.Contains(res.Header.Get("X-Hint"), canary) {
		t.Errorf("the connection is a %T, X-Hint %q", res.Body, res.Header.Get("X-Hint"))
	}
}

func BenchmarkAddress(b *testing.B) {
	p, err := New(Config{Upstreams: map[string]Settings{"one": settings("http://x/v1", func(s *Settings) { s.APIKeyEnv = "KEY" })}},
		plugintest.Env(b, map[string]string{"KEY": canary}))
	if err != nil {
		b.Fatal(err)
	}
	req := plugintest.Request(b, `{}`)
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(int, textproto.MIMEHeader) error { return nil },
	}))
	a := &asking{Pool: p, member: p.members[0], key: p.members[0].keys.all[0]}
	b.ReportAllocs()
	for b.Loop() {
		a.address(req.Context(), req)
	}
}

// The texts are those of json_encode in PHP, System.Text.Json in .NET and
// encodeURIComponent with small letters.
func TestTheFormsOfAKey(t *testing.T) {
	for _, text := range []string{`sk/very+secret=`, `sk\/very+secret=`, `sk/very\u002Bsecret=`, `sk%2Fvery%2Bsecret%3D`, `sk%2fvery%2bsecret%3d`, `sk%2Fvery+secret=`} {
		if !holds([]string{"used " + text + "."}, forms("sk/very+secret=")) {
			t.Errorf("%s is not known as the key", text)
		}
	}
	if got := forms(canary); len(got) != 1 || got[0] != canary {
		t.Errorf("forms of a plain key are %q, want it alone", got)
	}
}

// A key of a few letters, such as a test has, stands in every other word.
func TestAKeyThatIsAWordTakesNothingFromAnAnswer(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, `{"error":{"message":"a json"}}`)
	}))
	defer up.Close()
	for _, key := range []string{"a", "json"} {
		p := newPool(t, map[string]string{"KEY": key}, map[string]Settings{
			"one": settings(up.URL, func(s *Settings) { s.APIKeyEnv = "KEY" }),
		})
		res, err := p.RoundTrip(plugintest.Request(t, `{}`))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.Header.Get("Content-Type") != "application/json" || string(body) != `{"error":{"message":"a json"}}` {
			t.Errorf("by the key %s came %q, %s", key, res.Header, body)
		}
	}
}
