package server

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins"
)

// A telling is a plugin that answers operators under its name and at a path
// with the method and the path that it sees.
func telling(name, at string) plugins.Plugin {
	return plugins.Define(name, func() noSettings { return noSettings{} }, func(noSettings, plugins.Env) (plugins.Link, error) {
		return plugins.Link{AdminAt: at, Admin: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			_, _ = w.Write([]byte(name + " " + req.Method + " " + req.URL.Path))
		})}, nil
	})
}

// admin asks the admin listener, with what Authorization says.
func (r *running) admin(t *testing.T, method, path, authorization string) (status int, body string) {
	t.Helper()
	req := r.request(t, method, "", "")
	req.URL, _ = req.URL.Parse(r.AdminURL + path)
	req.Header.Set("Authorization", authorization)
	res, body := do(t, req)
	return res.StatusCode, body
}

func TestWhatChangesSomethingNeedsTheToken(t *testing.T) {
	tests := []struct {
		name, method, path, authorization string
		status                            int
		want                              string // the whole body, or the code of an error
	}{
		{"reading", http.MethodGet, "/tells", "", 200, "tells GET "},
		{"reading with another token", http.MethodGet, "/tells/x", "Bearer no", 200, "tells GET /x"},
		{"without a token", http.MethodDelete, "/tells", "", 401, "invalid_admin_token"},
		{"with another token", http.MethodDelete, "/tells", "Bearer " + adminToken + "x", 401, "invalid_admin_token"},
		{"with a part of it", http.MethodDelete, "/tells", "Bearer " + adminToken[1:], 401, "invalid_admin_token"},
		{"with an empty one", http.MethodDelete, "/tells", "Bearer ", 401, "invalid_admin_token"},
		{"as a password", http.MethodDelete, "/tells", "Basic " + adminToken, 401, "invalid_admin_token"},
		{"a client's key", http.MethodDelete, "/tells", "Bearer " + clientKey, 401, "invalid_admin_token"},
		{"with the token", http.MethodDelete, "/tells", "Bearer " + adminToken, 200, "tells DELETE "},
		{"with the token in odd spelling", http.MethodPost, "/plugins/tells/y", "bearer  " + adminToken + " ", 200, "tells POST /y"},
		{"a plugin that only tells", http.MethodDelete, "/plugins/auth/", "Bearer " + adminToken, 405, ""},
		{"what is the server's", http.MethodPost, "/metrics", "Bearer " + adminToken, 405, "invalid_request"},
		{"what is nobody's", http.MethodPost, "/tellsx", "Bearer " + adminToken, 404, "unknown_url"},
		{"what is nobody's, without the token", http.MethodPost, "/tellsx", "", 401, "invalid_admin_token"},
	}
	r := &running{
		Log: &logs{}, Environ: []string{"TOKEN= " + adminToken + "\n"},
		Plugins: []plugins.Plugin{telling("tells", "/tells")},
	}
	r.start(t, strings.Replace(whole, "cache", "tells", 1)+"admin_token_env: TOKEN\nlog: {level: debug}\n", "http://127.0.0.1:1/v1")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, body := r.admin(t, tt.method, tt.path, tt.authorization)
			if code := errorCode(body); status != tt.status || tt.want != "" && code != tt.want && body != tt.want {
				t.Errorf("%d %s, want %d %s", status, body, tt.status, tt.want)
			}
			checkSecrets(t, "answer", body)
		})
	}
	if _, body := r.admin(t, http.MethodGet, "/", ""); !strings.Contains(body, "and /tells") {
		t.Errorf("%s: want the plugin's path in it", body)
	}
	for _, path := range []string{"/config", "/metrics"} {
		_, body := r.admin(t, http.MethodGet, path, "Bearer "+adminToken)
		checkSecrets(t, path, body)
	}
	checkSecrets(t, "log", r.Log.All())
}

func TestTheTokenIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	replaceFile(t, path, "first\n")
	r := &running{Log: &logs{}, Plugins: []plugins.Plugin{telling("tells", "/tells")}}
	r.start(t, strings.Replace(whole, "cache", "tells", 1)+"admin_token_file: "+path+"\n", "http://127.0.0.1:1/v1")
	replaceFile(t, path, "second\n")
	r.loaded(t, 1)
	for token, want := range map[string]int{"first": 401, "second": 200} {
		if status, body := r.admin(t, http.MethodDelete, "/tells", "Bearer "+token); status != want {
			t.Errorf("%s: %d %s, want %d", token, status, body, want)
		}
	}
	replaceFile(t, path, "\n")
	if err := r.Reload(); err == nil || !strings.Contains(err.Error(), "admin_token_file: "+path+" is empty") {
		t.Errorf("an empty file: %v", err)
	}
	if status, _ := r.admin(t, http.MethodDelete, "/tells", "Bearer "); status != 401 {
		t.Errorf("an empty token after an empty file: %d", status)
	}
}

func TestPathsOfTheAdminListenerAreRefused(t *testing.T) {
	tests := []struct{ name, one, two, want string }{
		{"two of one path", "/a", "/a", "plugins.two: /a of the admin listener is one's already"},
		{"the server's own", "/metrics", "", "plugins.one: /metrics of the admin listener is the server's own"},
		{"that of the plugins", "", "/plugins", "plugins.two: /plugins of the admin listener is the server's own"},
		{"no path", "limits", "", `plugins.one: "limits" is not a path of the admin listener such as /limits`},
		{"the root", "/", "", `plugins.one: "/" is not a path of the admin listener such as /limits`},
		{"two paths", "/a", "/b", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := shell{environ: []string{"TOKEN=x"}}
			p := s.process("check", "--config", file(t, "chain: [one, two]\nupstreams: {a: {base_url: UPSTREAM}}\n"))
			p.plugins = append(builtin(), telling("one", tt.one), telling("two", tt.two))
			if err := p.run(t.Context()); err != nil && err.Error() != tt.want || err == nil && tt.want != "" {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestTheTokensSourceIsChecked(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"two sources", "admin_token_env: TOKEN\nadmin_token_file: /t\n", "admin_token_env: stands beside admin_token_file: keep one"},
		{"a variable that is not set", "admin_token_env: NO_SUCH\n", "admin_token_env: NO_SUCH is not set"},
		{"a file that is not there", "admin_token_file: /no/such\n", "admin_token_file: open /no/such: no such file or directory"},
		{"the token itself", "admin_token: x\n", "admin_token: secrets do not stand in the file: use admin_token_env or admin_token_file"},
		{"a good one", "admin_token_env: TOKEN\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := shell{environ: []string{"TOKEN=x", "UPSTREAM_KEY=" + upstreamKey}}
			err := s.process("check", "--config", file(t, whole+tt.config)).run(t.Context())
			if err != nil && !strings.Contains(err.Error(), tt.want) || (err == nil) != (tt.want == "") || strings.Count(s.err.All(), "\n") > 1 {
				t.Errorf("%v, want %q alone", err, tt.want)
			}
		})
	}
}
