package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/holysheep/relay/internal/credential"
)

func TestTheAdminListenerIsReadOnly(t *testing.T) {
	r := start(t, whole)
	for _, path := range []string{"/metrics", "/config", "/upstreams", "/health", "/ready", "/plugins/auth/", "/plugins/limit/", "/plugins/cache/"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
			req := r.request(t, method, "", "")
			req.URL, _ = req.URL.Parse(r.AdminURL + path)
			if res, body := do(t, req); res.StatusCode != http.StatusForbidden || errorCode(body) != "admin_read_only" {
				t.Errorf("%s %s: %d %s, want 403 in OpenAI's form", method, path, res.StatusCode, body)
			}
		}
		if res, body := get(t, r.AdminURL+path); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s, want 200", path, res.StatusCode, body)
		}
	}
}

func TestTheAdminListenerRelaysNothing(t *testing.T) {
	r := start(t, whole)
	for _, path := range []string{"/v1/models", "/", "/debug/pprof/", "/plugins/", "/plugins/nothing", "/plugins/retry/x/../y"} {
		req := r.request(t, http.MethodGet, "", "")
		req.URL, _ = req.URL.Parse(r.AdminURL + path)
		if res, body := do(t, req); res.StatusCode != http.StatusNotFound || errorCode(body) != "unknown_url" {
			t.Errorf("%s: %d %s, want 404", path, res.StatusCode, body)
		}
	}
	for url, want := range map[string]string{
		r.AdminURL + "/": "/metrics, /config, /upstreams, /health, /ready and /plugins/NAME", r.AdminURL + "/plugins": "/plugins/NAME", r.URL + "/": "under /v1/, /v1beta/ and /openai/",
	} {
		if _, body := get(t, url); !strings.Contains(body, want) {
			t.Errorf("%s: %s, want %q in it", url, body, want)
		}
	}
	if n := r.Demo.Books().Len(); n > 0 {
		t.Errorf("the upstream was asked %d times", n)
	}
}

func TestConfigShowsFingerprints(t *testing.T) {
	r := start(t, whole)
	res, body := get(t, r.AdminURL+"/config")
	var got struct {
		Version string
		Chain   []string
		Keys    map[string]string
		Config  struct {
			Upstreams map[string]map[string]any
			Plugins   map[string]map[string]any
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") || got.Version != "test" {
		t.Errorf("version %q as %q", got.Version, res.Header.Get("Content-Type"))
	}
	if want := "sha256:" + credential.Hash(upstreamKey)[:12]; got.Keys["demo"] != want {
		t.Errorf("the upstream's key is %q, want %q", got.Keys["demo"], want)
	}
	if strings.Join(got.Chain, " ") != "auth limit cache retry" || got.Config.Upstreams["demo"]["api_key_env"] != "UPSTREAM_KEY" {
		t.Errorf("got %s, want the effective configuration", body)
	}
	if strings.Contains(body, credential.Hash(clientKey)) {
		t.Error("the whole hash of a client's key is shown")
	}
	r.write(t, strings.Replace(whole, ", cache, retry", "", 1), r.ups())
	r.loaded(t, 1)
	if _, body := get(t, r.AdminURL+"/config"); !strings.Contains(body, `"chain":["auth","limit"]`) {
		t.Errorf("after a reload: %s, want the new chain", body)
	}
}

func TestPluginsTellTheirState(t *testing.T) {
	r := start(t, whole)
	do(t, r.request(t, http.MethodGet, "/v1/models", ""))
	for path, want := range map[string]string{
		"/plugins/auth/":                `"name":"tester"`,
		"/plugins/auth":                 `"name":"tester"`,
		"/plugins/limit/":               `max_in_flight`,
		"/plugins/limit/?client=tester": `max_in_flight`,
		"/plugins/cache/":               `{`,
	} {
		if res, body := get(t, r.AdminURL+path); res.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want %s in it", path, res.StatusCode, body, want)
		}
	}
}

func TestMetricsKeepToTheirNames(t *testing.T) {
	r := start(t, whole)
	do(t, r.request(t, http.MethodPost, "/v1/chat/completions", chat))
	families, err := r.Gather().Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	_, body := get(t, r.AdminURL+"/metrics")
	for _, want := range []string{
		"relay_build_info{", "relay_config_last_reload_successful 1", "relay_config_last_reload_success_timestamp_seconds ",
		`relay_config_reloads_total{result="success"} 1`, "relay_requests_in_flight 0", "go_goroutines ", "process_open_fds ",
		`http_requests_total{method="POST",route="/v1/chat/completions",status="200"} 1`,
		`http_request_duration_seconds_bucket{method="POST",route="/v1/chat/completions",le="600"} 1`,
	} {
		if !strings.Contains(body, "\n"+want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

// Whatever clients write, the number of series stays what it is.
func TestTheLabelsOfMetricsAreClosed(t *testing.T) {
	r := start(t, whole)
	strange := func(i int) {
		n := itoa(i)
		for _, request := range []string{
			post(clientKey, `{"model":"model-`+n+`","messages":[]}`, "User-Agent: agent-"+n, "X-Request-Id: id-"+n),
			lines("/v1/files/file-"+n+"?x="+n, "X-Api-Key: "+clientKey),
			lines("/v1/brand/new-"+n, "X-Api-Key: "+clientKey),
			lines("/other/path-"+n, "Host: host-"+n),
			lines("/v1/models", "X-Api-Key: sk-"+n),
			"METHOD" + n + strings.TrimPrefix(lines("/v1/models", "X-Api-Key: "+clientKey), "GET"),
			post(clientKey, chat, "X-Demo-Status: "+itoa(400+i%2)),
		} {
			r.bytes(t, request)
		}
	}
	for i := range 10 {
		strange(i)
	}
	r.models(t, 1)
	before := map[string]bool{}
	r.each(t, func(series string, _ dto.MetricType, _ *dto.Metric) { before[series] = true })
	for i := range 200 {
		strange(1000 + i)
	}
	r.models(t, 1000)
	r.each(t, func(series string, _ dto.MetricType, _ *dto.Metric) {
		if !before[series] {
			t.Errorf("a new series: %s", series)
		}
	})
}

// models asks for n different models.
func (r *running) models(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		do(t, r.request(t, http.MethodPost, "/v1/chat/completions", `{"model":"m`+itoa(i)+`","messages":[{"role":"user","content":"hi"}]}`))
	}
}
