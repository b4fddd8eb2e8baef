package upstream

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins/plugintest"
)

func TestAnUpstreamThatFailsIsToldOnce(t *testing.T) {
	var log bytes.Buffer
	env := plugintest.Env(t, nil)
	env.Log = slog.New(slog.NewTextHandler(&log, nil))
	p, err := New(Config{Upstreams: map[string]Settings{"one": settings("http://x/v1", nil)}}, env)
	if err != nil {
		t.Fatal(err)
	}
	dead := errors.New("connection refused")
	gone, leave := context.WithCancel(t.Context())
	leave()
	for _, step := range []struct {
		ctx  context.Context
		err  error
		want string // of the line that is added; "" if none is
	}{
		{t.Context(), nil, ""},
		{gone, dead, ""},
		{t.Context(), dead, "does not answer"},
		{t.Context(), dead, ""},
		{t.Context(), nil, "answers again"},
		{t.Context(), nil, ""},
		{t.Context(), dead, "does not answer"},
	} {
		log.Reset()
		p.members[0].client = plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			if step.err != nil {
				return nil, step.err
			}
			return plugintest.Response(req, http.StatusOK, "{}"), nil
		})
		if res, err := p.RoundTrip(plugintest.Request(t, "{}").WithContext(step.ctx)); err == nil {
			_ = res.Body.Close()
		}
		if got := log.String(); (got == "") != (step.want == "") || !strings.Contains(got, step.want) {
			t.Errorf("after %v: logged %q, want %q", step.err, got, step.want)
		}
	}
}

// logged has the pool log to what it returns, from level info on.
func logged(p *Pool) *bytes.Buffer {
	var log bytes.Buffer
	p.log = slog.New(slog.NewTextHandler(&log, nil))
	return &log
}
