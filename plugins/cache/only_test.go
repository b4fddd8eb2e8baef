package cache_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// TestOnlyIfCached asks for a stored answer or none, where there is one that
// is 10 seconds old.
func TestOnlyIfCached(t *testing.T) {
	tests := []struct {
		name, control, body string
		change              func(*http.Request)
		want                string // X-Cache
		err                 error
	}{
		{name: "it is stored", control: "only-if-cached", body: greedy, want: "HIT"},
		{name: "it is as old as the client takes", control: "max-age=10, only-if-cached", body: greedy, want: "HIT"},
		{name: "it is older than the client takes", control: "only-if-cached, max-age=9", body: greedy, want: "MISS", err: cache.ErrNotCached},
		{name: "the client wants a new one too", control: "only-if-cached, no-cache", body: greedy, want: "MISS", err: cache.ErrNotCached},
		{name: "another is stored", control: "only-if-cached", body: `{"temperature":0}`, want: "MISS", err: cache.ErrNotCached},
		{name: "nothing may be stored", control: "only-if-cached", body: `{"temperature":1}`, want: "BYPASS", err: cache.ErrNotCached},
		{
			name: "nothing is stored of its method", control: "only-if-cached", body: greedy, want: "BYPASS", err: cache.ErrNotCached,
			change: func(r *http.Request) { r.Method = http.MethodGet },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				upstream := plugintest.Answers(200)
				rt := caching(t, upstream, nil)
				ask(t, rt, plugintest.Request(t, greedy))
				advance(10 * time.Second)
				req := plugintest.Request(t, tt.body)
				req.Header.Set("Cache-Control", tt.control)
				if tt.change != nil {
					tt.change(req)
				}
				body := &closing{ReadCloser: req.Body}
				req.Body = body
				res, err := rt.RoundTrip(req)
				if !errors.Is(err, tt.err) || (res == nil) != (err != nil) {
					t.Errorf("RoundTrip = %v, %v, want the error %v", res, err, tt.err)
				}
				if got := plugins.CallOf(req.Context()).Cache(); got != tt.want || !body.closed || upstream.Asked() != 1 {
					t.Errorf("%s, body closed %t, upstream asked %d times, want %s, true, 1", got, body.closed, upstream.Asked(), tt.want)
				}
			})
		})
	}
}
