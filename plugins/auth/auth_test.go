package auth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/auth"
	"github.com/holysheep/relay/plugins/plugintest"
)

// clients is YAML of the clients of these tests, whose keys are "sk-hs-" and
// the key's name.
func clients() string {
	hash := func(name string) string { return "sha256: " + credential.Hash("sk-hs-"+name) }
	return `
clients:
  free:
    group: research
    keys:
      old: {` + hash("old") + `, expires: 2026-11-23T12:00:00Z}
      new: {` + hash("new") + `}
      off: {` + hash("off") + `, disabled: true, expires: 2027-01-01T00:00:00Z}
      narrow: {` + hash("narrow") + `, models: [gpt-4.1]}
  bound:
    models: ["gpt-*", "openai/*"]
    keys:
      wide: {` + hash("wide") + `}
      mini: {` + hash("mini") + `, models: ["gpt-*-mini"]}
  gone:
    disabled: true
    keys:
      gone: {` + hash("gone") + `}
`
}

// env is an environment in which it is noon of the day on which "old" expires,
// and CLIENTS holds yaml.
func env(t testing.TB, yaml string) plugins.Env {
	t.Helper()
	e := plugintest.Env(t, map[string]string{"CLIENTS": yaml})
	e.Now = func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	return e
}

func link(t testing.TB, e plugins.Env) plugins.Link {
	t.Helper()
	return plugintest.Link(t, auth.Plugin, e, func(s *auth.Settings) { s.KeysEnv = "CLIENTS" })
}

// serve sends req through the link. It returns the client that the relay at
// the centre would see, nil if the request does not get there.
func serve(l plugins.Link, req *http.Request) (client *plugins.Client, err error) {
	c := echo.New().NewContext(req, httptest.NewRecorder())
	err = l.Serve(func(c echo.Context) error {
		if found, known := plugins.CallOf(c.Request().Context()).Client(); known {
			client = &found
		}
		return nil
	})(c)
	return client, err
}

func TestServeKnowsItsClients(t *testing.T) {
	free := &plugins.Client{Name: "free", Group: "research"}
	tests := []struct {
		name   string
		header [2]string
		query  string
		want   *plugins.Client
		err    error
	}{
		{name: "no key", err: auth.ErrMissing},
		{name: "bearer", header: [2]string{"Authorization", "Bearer sk-hs-new"}, want: free},
		{name: "x-api-key", header: [2]string{"x-api-key", "sk-hs-new"}, want: free},
		{name: "api-key", header: [2]string{"api-key", "sk-hs-new"}, want: free},
		{name: "query", query: "key=sk-hs-new", want: free},
		{name: "subprotocol", header: [2]string{"Sec-WebSocket-Protocol", "a, openai-insecure-api-key.sk-hs-new"}, want: free},
		{name: "two that differ", header: [2]string{"api-key", "sk-hs-new"}, query: "key=sk-hs-wide", err: auth.ErrConflict},
		{name: "unknown", header: [2]string{"api-key", "sk-hs-unknown"}, err: auth.ErrInvalid},
		{name: "the name of a key", header: [2]string{"api-key", "new"}, err: auth.ErrInvalid},
		{name: "the hash of a key", header: [2]string{"api-key", credential.Hash("sk-hs-new")}, err: auth.ErrInvalid},
		{name: "32 bytes of zero as a hash", header: [2]string{"api-key", strings.Repeat("\x00", 32)}, err: auth.ErrInvalid},
		{name: "expires at this instant", header: [2]string{"api-key", "sk-hs-old"}, err: auth.ErrExpired},
		{name: "disabled key", header: [2]string{"api-key", "sk-hs-off"}, err: auth.ErrDisabled},
		{name: "disabled client", header: [2]string{"api-key", "sk-hs-gone"}, err: auth.ErrDisabled},
	}
	l := link(t, env(t, clients()))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := plugintest.Request(t, `{}`)
			req.URL.RawQuery = tt.query
			if tt.header[0] != "" {
				req.Header.Set(tt.header[0], tt.header[1])
			}
			got, err := serve(l, req)
			if !errors.Is(err, tt.err) {
				t.Errorf("err = %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("client (-want +got):\n%s", diff)
			}
		})
	}
}

func TestServeLooksAtTheClockAtEachRequest(t *testing.T) {
	now := time.Date(2026, 11, 23, 11, 59, 59, 0, time.UTC)
	e := env(t, clients())
	e.Now = func() time.Time { return now }
	l := link(t, e)
	req := plugintest.Request(t, `{}`)
	req.Header.Set("Authorization", "Bearer sk-hs-old")
	if _, err := serve(l, req); err != nil {
		t.Errorf("a second before its time: %v", err)
	}
	now = now.Add(time.Second)
	if _, err := serve(l, req); !errors.Is(err, auth.ErrExpired) {
		t.Errorf("at its time: err = %v, want %v", err, auth.ErrExpired)
	}
}

func TestServeLeavesTheCredential(t *testing.T) {
	req := plugintest.Request(t, `{}`)
	req.Header.Set("Authorization", "Bearer sk-hs-new")
	if _, err := serve(link(t, env(t, clients())), req); err != nil {
		t.Fatal(err)
	}
	if got := req.Header.Get("Authorization"); got != "Bearer sk-hs-new" {
		t.Errorf("Authorization = %q: the relay takes it off, with all others", got)
	}
}
