package server

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/demo"
	"github.com/holysheep/relay/plugins"
)

// A leaving is a client that leaves where answers are read on.
type leaving struct {
	name, config, body string
	late               string // what the upstream is late with, until the client has left
	plan               http.Header
	read               int // bytes that the client has by then
	status             float64
	whole              bool
	usage              plugins.UsageSource
}

func leavings() []leaving {
	return []leaving{
		{name: "before a whole answer", body: unary, late: "answer", status: 499, whole: true, usage: plugins.UsageReported},
		{name: "before a stream", body: stream, late: "answer", status: 499, whole: true, usage: plugins.UsageReported},
		{
			name: "between comments", config: "stream_keepalive: 5ms\n", body: stream, late: "answer", read: len(keepAlive),
			status: 499, whole: true, usage: plugins.UsageReported,
		},
		{name: "in a stream", body: stream, late: "stream", read: len(oneEvent), status: 200, whole: true, usage: plugins.UsageReported},
		{
			name: "in a stream that stalls, for a time", config: "client_gone_time: 100ms\n", body: stream,
			plan: http.Header{"X-Demo-Stall": {"events=2"}}, read: 100, status: 200, usage: plugins.UsagePartial,
		},
		{
			name: "in a stream that is long, for some bytes", config: "client_gone_bytes: 1KiB\n", body: stream,
			plan: http.Header{"X-Demo-Tokens": {"100000"}, "X-Demo-Pace": {"1ms"}}, read: 100, status: 200, usage: plugins.UsagePartial,
		},
	}
}

// metering is a configuration that meters and reads on.
const metering = `
chain: [auth, limit, cache, retry, metered]
on_client_gone: drain
prices: {demo: {input: 1000, output: 2000, direct: {input: 3000, output: 2000}}}
plugins:
  auth: {clients: {tester: {group: testers, keys: {one: {sha256: HASH}}}}}
`

func TestAnAnswerIsReadOnWhenItsClientHasLeft(t *testing.T) {
	for _, protocol := range protocols() {
		for _, tt := range leavings() {
			t.Run(protocol+" "+tt.name, func(t *testing.T) {
				tidy(t)
				r, up := startLate(t, metering+tt.config, nil)
				plan := http.Header{"X-Late": {tt.late}}
				maps.Copy(plan, tt.plan)
				c := r.call(t, speaks(t, protocol), "/v1/chat/completions", strings.NewReader(tt.body), plan)
				if tt.late != "" {
					<-up.waiting
				}
				if tt.read > 0 {
					c.read(t, tt.read)
				}
				c.leave()
				line := r.Log.access(t, "leaver")
				if line["status"] != tt.status || line["ended"] != clientGone {
					t.Errorf("access line %v, want %g of a client that left", line, tt.status)
				}
				close(up.release)
				r.readOnLine(t, tt)
				r.holds(t, 0)
				if tt.late == "" {
					if rec := r.await(t, ended); rec.State != demo.Cancelled {
						t.Errorf("at the upstream the request is %q, want cancelled", rec.State)
					}
				}
			})
		}
	}
}

// readOnLine checks what is logged and counted of an answer that was read on.
func (r *running) readOnLine(t *testing.T, tt leaving) {
	t.Helper()
	line := r.Log.Wait(t, func(line map[string]any) bool { return line["msg"] == "answer read on after its client left" })
	bytes, _ := line["bytes"].(float64)
	got := map[string]any{"some": bytes > 0}
	for _, name := range []string{"request_id", "whole", "usage", "input_tokens", "output_tokens", "cost_usd", "direct_usd", "level"} {
		got[name] = line[name]
	}
	want := map[string]any{
		"some": bytes > 0, "request_id": "leaver", "whole": tt.whole, "usage": string(tt.usage),
		"input_tokens": 7.0, "output_tokens": 11.0, "cost_usd": 0.029, "direct_usd": 0.043, "level": "INFO",
	}
	if diff := cmp.Diff(got, want); diff != "" || tt.whole && bytes == 0 {
		t.Errorf("%g bytes were read; line (-got +want):\n%s", bytes, diff)
	}
	result := map[bool]string{true: "whole", false: "cut"}[tt.whole]
	if n := r.metric(t, "relay_client_gone_drained_total", "result", result); n != 1 {
		t.Errorf("%g answers were counted as %s, want 1", n, result)
	}
	if n := r.metric(t, "relay_client_gone_drained_total"); n != 1 {
		t.Errorf("%g answers were counted, want 1", n)
	}
}

// What cannot be read on, or would tell nothing, ends with its client.
func TestWhatEndsWithItsClientAllTheSame(t *testing.T) {
	long := `{"model":"demo","messages":[{"role":"user","content":"` + strings.Repeat("x", 2000) + `"}]}`
	tests := []struct{ name, path, body string }{
		{"a body above max_replay", "/v1/chat/completions", long},
		{"an answer that is not looked into", "/v1/echo", unary},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tidy(t)
			r, _ := startLate(t, metering+"max_replay: 1KiB\n", nil)
			c := r.call(t, speaks(t, "HTTP/1.1"), tt.path, strings.NewReader(tt.body), http.Header{"X-Demo-Latency": {"1h"}})
			r.await(t, func(rec demo.Record) bool { return rec.State == demo.Answering })
			c.leave()
			if rec := r.await(t, ended); rec.State != demo.Cancelled {
				t.Errorf("at the upstream the request is %q, want cancelled", rec.State)
			}
			if diff := cmp.Diff(r.line(t), told{499, clientGone, 1}); diff != "" {
				t.Errorf("access line (-got +want):\n%s", diff)
			}
			if n := r.metric(t, "relay_client_gone_drained_total"); n != 0 {
				t.Errorf("%g answers were read on, want none", n)
			}
		})
	}
}

func TestNobodyIsAskedAgainForAClientThatHasLeft(t *testing.T) {
	tidy(t)
	r, up := startLate(t, metering+"  retry: {attempts: 5, wait: 1ms}\n", nil)
	c := r.call(t, speaks(t, "HTTP/1.1"), "/v1/chat/completions", strings.NewReader(unary), http.Header{
		"X-Late": {"answer"}, "X-Demo-Status": {"503"},
	})
	<-up.waiting
	c.leave()
	r.Log.access(t, "leaver")
	close(up.release)
	r.Log.count(t, "answer read on after its client left", 1)
	if n := r.Demo.Books().Len(); n != 1 {
		t.Errorf("the upstream was asked %d times, want once", n)
	}
}

// An answer that is read on is waited for, with the configuration that it began
// with, and cut when drain is over.
func TestTheStopWaitsForWhatIsReadOn(t *testing.T) {
	tests := []struct {
		name, drain, result string
	}{
		{"to its end", "1m", "whole"},
		{"until drain is over", "100ms", "cut"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, up := startLate(t, metering+"drain: "+tt.drain+"\n", nil)
			c := r.call(t, speaks(t, "HTTP/1.1"), "/v1/chat/completions", strings.NewReader(unary), http.Header{"X-Late": {"answer"}})
			<-up.waiting
			c.leave()
			r.Log.access(t, "leaver")
			stopped := r.stopping(t)
			if tt.result == "whole" {
				select {
				case err := <-stopped:
					t.Fatalf("stopped with an answer under way: %v", err)
				default:
				}
				close(up.release)
			}
			if err := <-stopped; err != nil {
				t.Error(err)
			}
			if n := r.metric(t, "relay_client_gone_drained_total", "result", tt.result); n != 1 {
				t.Errorf("%g answers were counted as %s, want 1", n, tt.result)
			}
		})
	}
}

func TestAReloadWaitsForWhatIsReadOn(t *testing.T) {
	up, closed := newHeld(t), make(chan struct{}, 2)
	r := &running{Log: &logs{}, Plugins: []plugins.Plugin{metered(), closes(closed)}}
	config := strings.Replace(metering, "metered]", "metered, closes]", 1)
	r.start(t, config, up.URL)
	c := r.call(t, speaks(t, "HTTP/1.1"), "/v1/chat/completions", strings.NewReader(unary), http.Header{"X-Hold": {"answer"}})
	one := up.next(t)
	c.leave()
	r.Log.access(t, "leaver")
	r.write(t, config+"\nmax_body: 1MiB\n", up.URL)
	r.loaded(t, 1)
	select {
	case <-closed:
		t.Error("the configuration of an answer under way was freed")
	default:
	}
	close(one.release)
	<-closed
}
