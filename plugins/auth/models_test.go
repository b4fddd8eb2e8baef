package auth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/auth"
	"github.com/holysheep/relay/plugins/plugintest"
)

// asking returns a request with the key, which asks for the model.
func asking(t *testing.T, key, method, target, model string) *http.Request {
	t.Helper()
	call := plugins.NewCall("req-test", func() plugins.Ask { return plugins.Ask{Model: model} })
	req, err := http.NewRequestWithContext(plugins.WithCall(t.Context(), call), method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer sk-hs-"+key)
	return req
}

func TestServeHoldsKeysToTheirModels(t *testing.T) {
	tests := []struct {
		name, key, method, model string
		err                      error
	}{
		{name: "every model", key: "new", method: "POST", model: "claude"},
		{name: "no model at all", key: "new", method: "POST"},
		{name: "a model of the client", key: "wide", method: "POST", model: "gpt-4.1"},
		{name: "a star stands for slashes", key: "wide", method: "POST", model: "openai/a/b"},
		{name: "another model", key: "wide", method: "POST", model: "claude", err: auth.ErrModelNotAllowed},
		{name: "models have case", key: "wide", method: "POST", model: "GPT-4.1", err: auth.ErrModelNotAllowed},
		{name: "a model of the key", key: "mini", method: "POST", model: "gpt-5-mini"},
		{name: "a model of the client but not of the key", key: "mini", method: "POST", model: "gpt-5", err: auth.ErrModelNotAllowed},
		{name: "a narrow key of a client without bounds", key: "narrow", method: "POST", model: "gpt-4.1"},
		{name: "a model outside of that key", key: "narrow", method: "POST", model: "gpt-4.1-mini", err: auth.ErrModelNotAllowed},
		{name: "get without a model", key: "wide", method: "GET"},
		{name: "head without a model", key: "wide", method: "HEAD"},
		{name: "delete without a model", key: "wide", method: "DELETE"},
		{name: "get with another model", key: "wide", method: "GET", model: "claude", err: auth.ErrModelNotAllowed},
		{name: "post without a model", key: "wide", method: "POST", err: auth.ErrModelNotAllowed},
		{name: "connect with a model of the client", key: "wide", method: "CONNECT", model: "gpt-4.1", err: auth.ErrModelNotAllowed},
		{name: "an unknown method without a model", key: "wide", method: "PURGE", err: auth.ErrModelNotAllowed},
	}
	l := link(t, env(t, clients()))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := serve(l, asking(t, tt.key, tt.method, "/v1/any", tt.model))
			if !errors.Is(err, tt.err) {
				t.Errorf("err = %v, want %v", err, tt.err)
			}
		})
	}
}

func TestServeHoldsUpgradesToTheQuery(t *testing.T) {
	tests := []struct {
		name, key, target string
		err               error
	}{
		{name: "an unbound key", key: "new", target: "/v1/responses"},
		{name: "a model of the client", key: "wide", target: "/v1/realtime?model=gpt-realtime"},
		{name: "another model", key: "wide", target: "/v1/realtime?model=claude", err: auth.ErrModelNotAllowed},
		{name: "two models", key: "wide", target: "/v1/realtime?model=gpt-realtime&model=claude", err: plugins.ErrAmbiguousBody},
		{name: "no model", key: "wide", target: "/v1/realtime", err: auth.ErrModelNotAllowed},
		{name: "a path whose messages name the model", key: "wide", target: "/v1/responses?model=gpt-4.1", err: auth.ErrModelNotAllowed},
		{name: "a path that is only like it", key: "wide", target: "/v1//realtime?model=gpt-4.1", err: auth.ErrModelNotAllowed},
	}
	l := link(t, env(t, clients()))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := asking(t, tt.key, "GET", tt.target, "")
			call := plugins.NewCall("", func() plugins.Ask { return plugins.ReadAsk(req, nil, true) })
			req = req.WithContext(plugins.WithCall(t.Context(), call))
			req.Header.Set("Connection", "Upgrade")
			req.Header.Set("Upgrade", "websocket")
			if _, err := serve(l, req); !errors.Is(err, tt.err) {
				t.Errorf("err = %v, want %v", err, tt.err)
			}
		})
	}
}

func TestServeReadsTheBodyOnlyForBoundKeys(t *testing.T) {
	l := link(t, env(t, clients()))
	for key, want := range map[string]bool{"new": false, "wide": true} {
		read := false
		req := asking(t, key, "POST", "/v1/chat/completions", "")
		req = req.WithContext(plugins.WithCall(context.Background(), plugins.NewCall("", func() plugins.Ask {
			read = true
			return plugins.Ask{Model: "gpt-4.1"}
		})))
		if _, err := serve(l, req); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if read != want {
			t.Errorf("%s: the body was read: %t, want %t", key, read, want)
		}
	}
}

func TestServeRefusesAnAmbiguousModelOfBoundKeys(t *testing.T) {
	l := link(t, env(t, clients()))
	for key, want := range map[string]error{"new": nil, "wide": plugins.ErrAmbiguousBody} {
		req := plugintest.Request(t, `{"model":"gpt-4.1","model":"claude"}`)
		req.Header.Set("Authorization", "Bearer sk-hs-"+key)
		if _, err := serve(l, req); !errors.Is(err, want) {
			t.Errorf("%s: err = %v, want %v", key, err, want)
		}
	}
}

func TestServeNamesTheModelInShort(t *testing.T) {
	_, err := serve(link(t, env(t, clients())), asking(t, "wide", "POST", "/v1/any", strings.Repeat("x", 1<<20)))
	e, ok := plugins.AsError(err)
	if want := `the API key may not use the model "` + strings.Repeat("x", 100) + `"`; !ok || e.Message != want {
		t.Errorf("err = %.300v, want the message %s", err, want)
	}
}
