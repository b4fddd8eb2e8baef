package auth_test

import (
	"bytes"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/auth"
)

// echoServer is a whole web server with the link in front of a page that tells
// who asks. Its errors are what the relay makes of them, without the body.
func echoServer(l plugins.Link) http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		answer, ok := plugins.AsError(err)
		if !ok {
			answer = &plugins.Error{Status: http.StatusInternalServerError}
		}
		maps.Copy(c.Response().Header(), answer.Header)
		_ = c.String(answer.Status, answer.Code)
	}
	call := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx := plugins.WithCall(c.Request().Context(), plugins.NewCall("req-test", nil))
			c.SetRequest(c.Request().WithContext(ctx))
			return next(c)
		}
	}
	e.Any("/v1/*", func(c echo.Context) error {
		client, _ := plugins.CallOf(c.Request().Context()).Client()
		return c.String(http.StatusOK, client.Name)
	}, call, l.Serve)
	return e
}

func TestWholeEcho(t *testing.T) {
	tests := []struct {
		name, key, method  string
		status             int
		challenge, outcome string
		body               string
	}{
		{name: "good", key: "new", method: "POST", status: 200, outcome: "allowed", body: "free"},
		{name: "unknown", key: "unknown", method: "POST", status: 401, challenge: "Bearer", outcome: "invalid", body: "invalid_api_key"},
		{name: "expired", key: "old", method: "POST", status: 401, challenge: "Bearer", outcome: "expired", body: "expired_api_key"},
		{name: "disabled", key: "off", method: "POST", status: 401, challenge: "Bearer", outcome: "disabled", body: "disabled_api_key"},
		{name: "no model", key: "wide", method: "POST", status: 403, outcome: "model_not_allowed", body: "model_not_allowed"},
		{name: "a list", key: "wide", method: "GET", status: 200, outcome: "allowed", body: "bound"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := env(t, clients())
			req := httptest.NewRequest(tt.method, "/v1/models", nil)
			req.Header.Set("Authorization", "Bearer sk-hs-"+tt.key)
			w := httptest.NewRecorder()
			echoServer(link(t, e)).ServeHTTP(w, req)
			if w.Code != tt.status || w.Body.String() != tt.body || w.Header().Get("WWW-Authenticate") != tt.challenge {
				t.Errorf("answer = %d %q, challenge %q; want %d %q, %q",
					w.Code, w.Body, w.Header().Get("WWW-Authenticate"), tt.status, tt.body, tt.challenge)
			}
			one := []string{"relay_auth_requests_total outcome=" + tt.outcome + ": 1"}
			if diff := cmp.Diff(one, series(t, e, "relay_auth_requests_total outcome="+tt.outcome)); diff != "" {
				t.Errorf("series (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusalsAreLoggedWithoutTheKey(t *testing.T) {
	tests := []struct{ name, key, want string }{
		{"a key of nobody", "unknown", `msg="request refused" outcome=invalid request_id=req-test`},
		{"a key of ours", "old", `msg="request refused" outcome=expired request_id=req-test client=free key=old fingerprint=` + fingerprint("old")},
		{"a good key", "new", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			e := env(t, clients())
			e.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			req := httptest.NewRequest("POST", "/v1/models?key=sk-hs-"+tt.key, nil)
			echoServer(link(t, e)).ServeHTTP(httptest.NewRecorder(), req)
			_, got, _ := strings.Cut(strings.TrimSpace(log.String()), "level=INFO ")
			if got != tt.want {
				t.Errorf("log = %s\nwant  %s", got, tt.want)
			}
			if strings.Contains(log.String(), "sk-hs-") {
				t.Errorf("the log shows a key: %s", log.String())
			}
		})
	}
}

func TestARefusedClientIsNotedAllTheSame(t *testing.T) {
	tests := []struct{ name, key, want string }{
		{"expired", "old", "free"},
		{"disabled", "off", "free"},
		{"no model", "wide", "bound"},
		{"of nobody", "unknown", ""},
	}
	l := link(t, env(t, clients()))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			call := plugins.NewCall("req-test", nil)
			req := httptest.NewRequest("POST", "/v1/models", nil)
			req = req.WithContext(plugins.WithCall(req.Context(), call))
			req.Header.Set("Authorization", "Bearer sk-hs-"+tt.key)
			if _, err := serve(l, req); err == nil {
				t.Error("the request passed: the test shows nothing")
			}
			if client, known := call.Client(); client.Name != tt.want || known != (tt.want != "") {
				t.Errorf("client = %q, %t, want %q", client.Name, known, tt.want)
			}
		})
	}
}

func TestUnauthorizedCarriesAChallenge(t *testing.T) {
	for _, e := range []*plugins.Error{auth.ErrMissing, auth.ErrConflict, auth.ErrInvalid, auth.ErrExpired, auth.ErrDisabled} {
		if got := e.Header.Get("WWW-Authenticate"); got != "Bearer" {
			t.Errorf("%s: challenge = %q, want Bearer", e.Code, got)
		}
	}
}
