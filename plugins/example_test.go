package plugins_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// Plugin is tag: it tells the upstream for which team a request is. In a
// package of its own it is tag.Plugin, and main names it:
//
//	server.Main(auth.Plugin, retry.Plugin, tag.Plugin)
var Plugin = plugins.Define("tag", Defaults, New)

// Settings say where the upstream finds the team.
type Settings struct {
	// Header is the request header that holds the team's name.
	Header string `koanf:"header"`
}

// Defaults returns the settings of a chain that names tag and says no more.
func Defaults() Settings { return Settings{Header: "X-Team"} }

// Validate implements [plugins.Settings].
func (s Settings) Validate() error {
	if s.Header == "" {
		return errors.New("header: it is empty")
	}
	return nil
}

// ErrNoTeam refuses a client that belongs to no group.
var ErrNoTeam = &plugins.Error{
	Status:  http.StatusForbidden,
	Type:    "permission_error",
	Code:    "no_team",
	Message: "the API key belongs to no team",
}

// New makes a link. It changes nothing that anybody could see.
func New(s Settings, env plugins.Env) (plugins.Link, error) {
	refused, err := plugins.Keep(env, "metrics", func() (prometheus.Counter, error) {
		return promauto.With(env.Metrics).NewCounter(prometheus.CounterOpts{
			Name: "relay_tag_refused_total",
			Help: "Requests of clients that belong to no team.",
		}), nil
	})
	if err != nil {
		return plugins.Link{}, err
	}
	return plugins.Link{Fetch: func(next http.RoundTripper) http.RoundTripper {
		return tagger{next: next, header: s.Header, refused: refused}
	}}, nil
}

// tagger is the Fetch side of tag.
type tagger struct {
	next    http.RoundTripper
	header  string
	refused prometheus.Counter
}

// RoundTrip implements [http.RoundTripper].
func (t tagger) RoundTrip(req *http.Request) (*http.Response, error) {
	client, _ := plugins.CallOf(req.Context()).Client()
	if client.Group == "" {
		t.refused.Inc()
		return nil, ErrNoTeam
	}
	out := req.Clone(req.Context())
	out.Header.Set(t.header, client.Group)
	return t.next.RoundTrip(out)
}

// A third party's plugin, whole: it is built as the server builds it, and asks
// an upstream that says what it was told.
func Example() {
	upstream := plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		return plugintest.Response(req, http.StatusOK, "for "+req.Header.Get("X-Team")), nil
	})
	link, err := Plugin.Build(Plugin.Defaults(), plugins.Env{
		Log:       slog.New(slog.DiscardHandler),
		Metrics:   prometheus.NewRegistry(),
		Now:       time.Now,
		LookupEnv: os.LookupEnv,
		ReadFile:  os.ReadFile,
		Keep:      plugintest.Keeper(),
	})
	if err != nil {
		panic(err)
	}
	transport := plugins.Chain{link}.Fetch(upstream)
	for _, group := range []string{"research", ""} {
		req, _ := http.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader("{}"))
		call := plugins.NewCall("", nil)
		call.SetClient(plugins.Client{Name: "alice", Group: group})
		res, err := transport.RoundTrip(req.WithContext(plugins.WithCall(req.Context(), call)))
		if err != nil {
			fmt.Println(err)
			continue
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		fmt.Printf("%d %s\n", res.StatusCode, body)
	}
	// Output:
	// 200 for research
	// no_team: the API key belongs to no team
}
