package server

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/holysheep/relay/plugins"
)

// serve runs "relay serve" until the test or stop ends it.
func (s *shell) serve(t *testing.T, args ...string) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.process(append([]string{"serve"}, args...)...).run(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

func TestServeDemo(t *testing.T) {
	s := shell{environ: []string{"RELAY_LISTEN=:0", "RELAY_ADMIN=127.0.0.1:0"}} // what is printed names an address all the same
	stop := s.serve(t, "--demo")
	s.err.count(t, `"msg":"listening"`, 1)
	text := s.out.All()
	url := regexp.MustCompile(`URL +(http://127\.0\.0\.1:[0-9]+)/v1`).FindStringSubmatch(text)
	key := regexp.MustCompile(`key +(sk-hs-\S+)`).FindStringSubmatch(text)
	if url == nil || key == nil || strings.Count(text, "curl ") != 2 {
		t.Fatalf("printed %q, want a URL, a key and two lines to paste", text)
	}
	r := &running{URL: url[1]}
	for _, line := range regexp.MustCompile(`curl (?:-N )?.*`).FindAllString(text, 2) {
		body := regexp.MustCompile(`-d '(.*)'`).FindStringSubmatch(line)[1]
		req := r.request(t, http.MethodPost, "/v1/chat/completions", body)
		req.Header.Set("Authorization", "Bearer "+key[1])
		res, answer := do(t, req)
		if streamed := strings.HasSuffix(answer, "data: [DONE]\n\n"); res.StatusCode != 200 || streamed != strings.HasPrefix(line, "curl -N ") {
			t.Errorf("%s\n%d %s", line, res.StatusCode, answer)
		}
	}
	expect(t, r.URL+"/v1/models", 401, "missing_api_key")
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if strings.Contains(s.err.All(), key[1]) {
		t.Error("the log holds the key")
	}
}

func TestAVariableNamesTheFile(t *testing.T) {
	bad, good := file(t, whole+"\nno_such: 1\n"), file(t, whole)
	for _, command := range []string{"check", "explain", "serve"} {
		s := shell{environ: []string{"RELAY_CONFIG=" + bad, "UPSTREAM_KEY=" + upstreamKey}}
		if err := s.process(command).run(t.Context()); err == nil || !strings.HasPrefix(s.err.All(), "relay: no_such: ") {
			t.Errorf("%s: %v, %s; want what is wrong with the file", command, err, s.err.All())
		}
	}
	s := shell{environ: []string{"RELAY_CONFIG=" + bad, "UPSTREAM_KEY=" + upstreamKey}}
	if err := s.process("check", "--config", good).run(t.Context()); err != nil {
		t.Errorf("check of the flag's file: %v", err)
	}
}

func TestAHangupReloads(t *testing.T) {
	s := shell{hangup: make(chan os.Signal), environ: []string{"UPSTREAM_KEY=" + upstreamKey}}
	stop := s.serve(t, "--config", file(t, whole))
	s.err.count(t, `"msg":"listening"`, 1)
	for i := 1; i <= 3; i++ { // nothing has changed: only the signal can be the cause
		s.hangup <- syscall.SIGHUP
		s.err.count(t, `"msg":"configuration loaded"`, i)
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// Kubernetes puts variables for every Service of the namespace into every pod:
// of one called relay, all begin as the relay's own do.
func TestServiceLinksDoNotDisturb(t *testing.T) {
	r := &running{Log: &logs{}, Environ: []string{
		"RELAY_SERVICE_HOST=10.0.0.7", "RELAY_SERVICE_PORT=8080", "RELAY_SERVICE_PORT_HTTP=8080",
		"RELAY_PORT=tcp://10.0.0.7:8080", "RELAY_PORT_8080_TCP=tcp://10.0.0.7:8080", "RELAY_PORT_8080_TCP_PROTO=tcp",
		"RELAY_PORT_8080_TCP_PORT=8080", "RELAY_PORT_8080_TCP_ADDR=10.0.0.7",
		"RELAY_METRICS_SERVICE_HOST=10.0.0.8", "RELAY_METRICS_SERVICE_PORT=9090", "RELAY_METRICS_PORT=tcp://10.0.0.8:9090",
		"RELAY_METRICS_PORT_9090_TCP=tcp://10.0.0.8:9090", "RELAY_METRICS_PORT_9090_TCP_PROTO=tcp",
		"RELAY_METRICS_PORT_9090_TCP_PORT=9090", "RELAY_METRICS_PORT_9090_TCP_ADDR=10.0.0.8",
	}}
	r.start(t, whole, "http://127.0.0.1:1/v1")
	expect(t, r.URL+"/ready", 200, "")
	if warned := strings.Contains(r.Log.All(), `"level":"WARN"`); warned {
		t.Errorf("the log warns:\n%s", r.Log.All())
	}
}

func TestWithoutAuthOnlyThisMachineIsLetIn(t *testing.T) {
	tests := []struct {
		name, config string
		starts       bool
	}{
		{"every address", "listen: \":0\"\nchain: []\n", false},
		{"every address in digits", "listen: 0.0.0.0:0\nchain: [limit, retry]\n", false},
		{"every address of IPv6", "listen: \"[::]:0\"\nchain: []\n", false},
		{"a name", "listen: relay.example:0\nchain: []\n", false},
		{"this machine", "listen: 127.0.0.1:0\nchain: []\n", true},
		{"this machine by name", "listen: localhost:0\nchain: []\n", true},
		{"this machine by IPv6", "listen: \"[::1]:0\"\nchain: []\n", true},
		{"every address, and it is wanted", "listen: \":0\"\nchain: []\nallow_anonymous: true\n", true},
		{"every address with auth", "listen: \":0\"\n" + whole, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := New(Options{
				Plugins: builtin(), Path: file(t, tt.config), Environ: []string{"UPSTREAM_KEY=" + upstreamKey}, Log: &logs{},
			})
			if err == nil {
				err = s.Discard()
			}
			if (err == nil) != tt.starts || err != nil && !strings.Contains(err.Error(), "allow_anonymous") {
				t.Errorf("err = %v, want a start: %t", err, tt.starts)
			}
		})
	}
	r := start(t, "listen: \":0\"\nchain: []\nallow_anonymous: true\n")
	_, port, _ := strings.Cut(strings.TrimPrefix(r.URL, "http://["), "]")
	expect(t, "http://127.0.0.1"+port+"/v1/models", 200, "")
}

func TestAPanicIsAnInternalError(t *testing.T) {
	r := &running{Log: &logs{}, Plugins: []plugins.Plugin{panics()}}
	up := newRaw(t, ok(`{}`))
	r.start(t, strings.Replace(whole, "[auth,", "[auth, panics,", 1), up.URL)
	for _, where := range []string{"serve", "fetch"} {
		res, body := r.raw(t, post(clientKey, chat, "X-Panic: "+where, "X-Request-Id: in-"+where))
		if res.StatusCode != http.StatusInternalServerError || errorCode(body) != "internal_error" || strings.Contains(body, "panic in") {
			t.Errorf("in %s: %d %s, want 500 without its text", where, res.StatusCode, body)
		}
		r.Log.Wait(t, func(line map[string]any) bool {
			text, _ := line["panic"].(string)
			stack, _ := line["stack"].(string)
			return line["msg"] == "panic" && line["request_id"] == "in-"+where &&
				strings.HasPrefix(text, "panic in "+where) && strings.Contains(stack, "canary_test.go")
		})
		if line := r.Log.access(t, "in-"+where); line["status"] != 500.0 || line["level"] != "WARN" {
			t.Errorf("access line %v, want a warning of 500", line)
		}
	}
	if answer := r.bytes(t, post(clientKey, chat, "X-Panic: body")); strings.HasSuffix(answer, "\r\n0\r\n\r\n") || strings.Contains(answer, "a panic's error") {
		t.Errorf("a panic in the middle of an answer: %q, want it broken off", answer)
	}
	if got := r.metric(t, "relay_requests_in_flight"); got != 0 {
		t.Errorf("%g requests in flight after panics, want 0", got)
	}
	if got := r.metric(t, "relay_limit_in_flight"); got != 0 {
		t.Errorf("%g slots are held after panics, want 0", got)
	}
}
