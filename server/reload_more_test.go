package server

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/internal/demo"
)

// limitOf returns the cap in flight that an answer tells.
func (r *running) limitOf(t *testing.T) string {
	t.Helper()
	res, _ := do(t, r.request(t, http.MethodGet, "/v1/models", ""))
	return res.Header.Get("X-Ratelimit-Limit")
}

// ups returns the demo upstream's base URL.
func (r *running) ups() string { return r.current.Load().config.Config.Upstreams["demo"].BaseURL }

// limited is the whole configuration with the given cap in flight.
func limited(most string) string {
	return strings.Replace(whole, "plugins:", "plugins:\n  limit: {max_in_flight: "+most+"}", 1)
}

// A badFile is a configuration that is refused, and what is said: a line each.
type badFile struct {
	text string
	want []string
}

func badFiles() map[string]badFile {
	return map[string]badFile{
		"several problems": {
			limited("-1") + "listen: nowhere\nno_such: 1\nupstreams: {demo: {base_url: UPSTREAM, weight: -1}}\n",
			[]string{"plugins.limit.max_in_flight: -1", "listen: ", "no_such: ", "upstreams.demo.weight: -1"},
		},
		"half a file":                {"chain: [auth, limit", []string{"relay.yaml"}},
		"an empty file":              {"", []string{"plugins.auth"}},
		"a chain in disorder":        {strings.Replace(limited("7"), "[auth, limit,", "[limit, auth,", 1), []string{"chain: "}},
		"an upstream without a key":  {limited("7") + "upstreams: {demo: {base_url: UPSTREAM, api_key_env: NO_SUCH}}\n", []string{"NO_SUCH"}},
		"keys that cannot be read":   {"plugins: {auth: {keys_file: /no/such}, limit: {max_in_flight: 7}}\n", []string{"/no/such"}},
		"a certificate that is none": {limited("7") + "tls: {cert_file: /no/such, key_file: /no/such}\n", []string{"tls.cert_file: open /no/such", "tls.key_file: open /no/such"}},
		"no auth and open to all":    {"listen: 0.0.0.0:0\nchain: [limit]\nplugins: {limit: {max_in_flight: 7}}\n", []string{"allow_anonymous"}},
	}
}

func TestABadFileChangesNothing(t *testing.T) {
	for name, tt := range badFiles() {
		t.Run(name, func(t *testing.T) {
			r := start(t, limited("5"))
			before, up := r.current.Load(), r.ups()
			r.write(t, tt.text, up)
			const refused = `"msg":"configuration refused, the last good one runs on"`
			r.Log.count(t, refused, len(tt.want))
			for _, want := range tt.want {
				r.Log.Wait(t, func(line map[string]any) bool {
					err, _ := line["err"].(string)
					return line["level"] == "ERROR" && strings.Contains(err, want) && !strings.Contains(err, "\n")
				})
			}
			if got := r.metric(t, "relay_config_last_reload_successful"); got != 0 {
				t.Errorf("relay_config_last_reload_successful = %g, want 0", got)
			}
			if got := r.limitOf(t); got != "5" || r.current.Load() != before {
				t.Errorf("the limit is %q, want that of the last good file, 5", got)
			}
			r.write(t, limited("9"), up)
			r.loaded(t, 1)
			if got := r.metric(t, "relay_config_last_reload_successful"); got != 1 {
				t.Errorf("relay_config_last_reload_successful = %g after a good file, want 1", got)
			}
			if got := r.limitOf(t); got != "9" {
				t.Errorf("the limit is %q, want 9", got)
			}
		})
	}
}

func TestAFileThatGoesAndComesBackIsLoaded(t *testing.T) {
	r := start(t, whole)
	up := r.ups()
	if err := os.Remove(r.Config); err != nil {
		t.Fatal(err)
	}
	r.Log.count(t, "configuration refused", 1)
	if got := r.limitOf(t); got != "100" {
		t.Errorf("the limit is %q, want 100 as before", got)
	}
	r.write(t, whole+"\nlog: {level: debug}\n", up)
	r.loaded(t, 1)
}

func TestAStoredAnswerSurvivesAReload(t *testing.T) {
	r := start(t, whole)
	ask := func() string {
		res, _ := do(t, r.request(t, http.MethodPost, "/v1/chat/completions", strings.Replace(chat, "{", `{"temperature":0,`, 1)))
		return res.Header.Get("X-Cache")
	}
	if first, second := ask(), ask(); first != "MISS" || second != "HIT" {
		t.Fatalf("before: %q, then %q, want MISS and HIT", first, second)
	}
	r.write(t, strings.Replace(whole, "plugins:", "plugins:\n  cache: {ttl: 2h}\n  limit: {max_in_flight: 7}", 1), r.ups())
	r.loaded(t, 1)
	if got := ask(); got != "HIT" {
		t.Errorf("after a reload: %q, want HIT", got)
	}
}

func TestClientKeysAreRotatedWithoutARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.yaml")
	write := func(keys ...string) {
		text := "clients:\n  tester:\n    keys:\n"
		for i, k := range keys {
			text += "      k" + itoa(i) + ": {sha256: " + credential.Hash(k) + "}\n"
		}
		replaceFile(t, path, text)
	}
	write(clientKey)
	r := start(t, "plugins: {auth: {keys_file: "+path+"}}\n")
	expect := func(old, fresh int) {
		t.Helper()
		for key, want := range map[string]int{clientKey: old, strangerKey: fresh} {
			req := r.request(t, http.MethodGet, "/v1/models", "")
			req.Header.Set("Authorization", "Bearer "+key)
			if res, body := do(t, req); res.StatusCode != want {
				t.Errorf("%.12s…: %d %s, want %d", key, res.StatusCode, body, want)
			}
		}
	}
	expect(200, 401)
	write(clientKey, strangerKey)
	r.loaded(t, 1)
	expect(200, 200)
	write(strangerKey)
	r.loaded(t, 2)
	expect(401, 200)
	replaceFile(t, path, "clients: {}\n") // a file that is being written, perhaps
	r.Log.count(t, "configuration refused", 1)
	expect(401, 200)
}

func TestUpstreamKeysAreRotatedWithoutARestart(t *testing.T) {
	up := newRaw(t, ok(`{}`))
	path := filepath.Join(t.TempDir(), "key")
	replaceFile(t, path, "first\n")
	r := start(t, whole+"\nupstreams: {raw: {base_url: "+up.URL+", api_key_file: "+path+"}}\n")
	for i, want := range []string{"first", "second", "third"} {
		if i > 0 {
			replaceFile(t, path, want+"\n")
			r.loaded(t, i)
		}
		do(t, r.request(t, http.MethodGet, "/v1/models", ""))
		if got := (<-up.requests).Header.Get("Authorization"); got != "Bearer "+want {
			t.Errorf("the upstream got %q, want the key %q", got, want)
		}
	}
}

func TestWhatOnlyARestartChangesIsSaid(t *testing.T) {
	r := start(t, whole)
	r.write(t, whole+"\nlisten: 127.0.0.1:1\nidle_timeout: 1h\nlog: {format: text}\n", r.ups())
	r.loaded(t, 1)
	r.Log.count(t, `"msg":"this setting changes with the next start only"`, 3)
}

func TestConnectionsOfAnUpstreamThatIsGoneAreClosed(t *testing.T) {
	closed := make(chan struct{}, 10)
	up := httptest.NewUnstartedServer(demo.New(demo.Options{}))
	up.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	up.Start()
	t.Cleanup(up.Close)
	r := (&running{Log: &logs{}}).start(t, whole, up.URL+"/v1")
	do(t, r.request(t, http.MethodGet, "/v1/models", ""))
	r.write(t, whole+"\nupstreams: {other: {base_url: \"http://127.0.0.1:1/v1\"}}\n", "")
	r.loaded(t, 1)
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Error("the idle connection stays open")
	}
}

func TestARunLeavesNothingBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	up := httptest.NewServer(demo.New(demo.Options{}))
	r := (&running{Log: &logs{}}).start(t, whole, up.URL+"/v1")
	for i := 1; i <= 5; i++ {
		do(t, r.request(t, http.MethodPost, "/v1/chat/completions", chat))
		r.write(t, whole+"\nidle_timeout: "+itoa(i)+"m\n", up.URL+"/v1")
		r.loaded(t, i)
	}
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	up.Close()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	goleak.VerifyNone(t, before)
}
