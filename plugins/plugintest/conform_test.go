package plugintest

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holysheep/relay/plugins"
)

// goodPage is the README of a plugin that conforms.
const goodPage = `# gate

Lets some requests pass.

## Settings

* ` + "`rules`" + `: by name; each has a ` + "`rate`" + ` a minute, 0 by default.

## Answers

| 403 | ` + "`permission_error`" + ` | ` + "`gate_closed`" + ` | when the gate is closed |

## Headers

None.

## Metrics

* ` + "`relay_gate_requests_total{outcome}`" + `: requests

## Example

` + "```yaml\n## no heading\nchain: [gate]\n```\n"

const goodSource = `package gate

import "github.com/holysheep/relay/plugins"

// ErrClosed refuses.
var ErrClosed = &plugins.Error{Status: 403}

// ErrOther is no answer.
var ErrOther = errors.New("other")
`

type gate struct {
	Rules map[string]rule `koanf:"rules"`
}

type rule struct {
	Rate int `koanf:"rate"`
}

func (g gate) Validate() error {
	if len(g.Rules) == 0 {
		return errors.New("rules: there are none")
	}
	return nil
}

// gateClosed returns the one error of the package.
func gateClosed() *plugins.Error {
	return &plugins.Error{Status: 403, Type: "permission_error", Code: "gate_closed", Message: "the gate is closed"}
}

func oneRule(plugins.Settings) plugins.Settings {
	return gate{Rules: map[string]rule{"a": {Rate: 1}}}
}

func same(next http.RoundTripper) http.RoundTripper { return next }

// good builds as a plugin should: collectors once, values in Start.
func good(_ gate, env plugins.Env) (plugins.Link, error) {
	requests, err := plugins.Keep(env, "metrics", func() (*prometheus.CounterVec, error) {
		return promauto.With(env.Metrics).NewCounterVec(prometheus.CounterOpts{
			Name: "relay_gate_requests_total", Help: "Requests.",
		}, []string{"outcome"}), nil
	})
	if err != nil {
		return plugins.Link{}, err
	}
	start := func() { requests.WithLabelValues("started").Inc() }
	return plugins.Link{Fetch: same, Start: start, Close: func(context.Context) error { return nil }}, nil
}

func TestConform(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"README.md": goodPage, "gate.go": goodSource} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := plugins.Define("gate", func() gate { return gate{} }, good)
	Conform(t, p, oneRule, gateClosed())
}

// wants fails the test unless err says want, or is nil if want is empty.
func wants(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("err = %v, want none", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("err = %v, want one that says %q", err, want)
	}
}

func TestCheckName(t *testing.T) {
	for name, want := range map[string]string{
		"gate":    "",
		"geo_ip2": "",
		"Gate":    "is not lower-case",
		"a__b":    "is not lower-case",
		"a_":      "is not lower-case",
		"2a":      "is not lower-case",
		"":        "is not lower-case",
	} {
		wants(t, checkName(name), want)
	}
}

func TestCheckErrors(t *testing.T) {
	lines := parsePage(goodPage).lines("Answers")
	tests := []struct {
		name   string
		change func(*plugins.Error)
		more   []*plugins.Error
		want   string
	}{
		{name: "the README tells all"},
		{name: "the status is another", change: func(e *plugins.Error) { e.Status = 401 }, want: "holds 401"},
		{name: "the code is another", change: func(e *plugins.Error) { e.Code = "gate" }, want: "`gate`"},
		{name: "the type is another", change: func(e *plugins.Error) { e.Type = "error" }, want: "`error`"},
		{name: "the status is no error", change: func(e *plugins.Error) { e.Status = 200 }, want: "must be set"},
		{name: "there is no message", change: func(e *plugins.Error) { e.Message = "" }, want: "must be set"},
		{name: "two are the same", more: []*plugins.Error{gateClosed()}, want: "there twice"},
		{name: "more than declared", more: []*plugins.Error{gateClosed()}, want: "2 errors were passed, the source declares 1: [ErrClosed]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := gateClosed()
			if tt.change != nil {
				tt.change(e)
			}
			wants(t, checkErrors(append(tt.more, e), []string{"ErrClosed"}, lines), tt.want)
		})
	}
}

func TestDeclaredErrors(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"gate.go": goodSource, "gate_test.go": goodSource} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := declaredErrors(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"ErrClosed"}; !slices.Equal(got, want) {
		t.Errorf("declared = %q, want %q", got, want)
	}
}
