package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/demo"
)

// matrix is the configuration of the fault matrix: without random waits, so
// that what is waited is known to the nanosecond, and with a time limit each of
// another length.
const matrix = `
chain: [retry]
allow_anonymous: true
plugins: {retry: {wait: 0s, max_wait: 0s}}
upstreams:
  one: {base_url: "http://one/v1", first_byte_timeout: 11s, first_token_timeout: 13s, idle_timeout: 17s}
`

// second is a healthy upstream behind the first.
const second = `  two: {base_url: "http://two/v1", priority: 1}
`

// A fault is what upstream one does to every request.
type fault struct {
	name    string
	dead    bool                        // nobody listens
	headers func(at time.Time) []string // X-Demo-… of each request, names and values in turn
}

// An outcome is what a client gets.
type outcome struct {
	status   int    // 0 if it broke off before anything of the answer had gone out
	code     string // of an error, as the body or as the last event of a stream
	attempts int
	waits    time.Duration
	broken   bool   // the connection was cut
	state    string // of upstream one afterwards; "" is healthy
}

// fixed returns headers that are the same for every request.
func fixed(headers ...string) func(time.Time) []string {
	return func(time.Time) []string { return headers }
}

// dated returns a 429 with a Retry-After that is a date, so long after the
// request.
func dated(after time.Duration) func(time.Time) []string {
	return func(at time.Time) []string {
		return []string{"X-Demo-Status", "429", "X-Demo-Retry-After", at.Add(after).UTC().Format(http.TimeFormat)}
	}
}

// sec is short for the table below.
const sec = time.Second

// faults returns every fault with what comes of it: to a request alone with the
// upstream, unary and streamed, and with a healthy second one, both.
func faults() []struct {
	fault
	unary, stream, unaryTwo, streamTwo outcome
} {
	good, next := outcome{status: 200, attempts: 1}, outcome{status: 200, attempts: 2}
	alike := func(status int, code string, attempts int, waits time.Duration, state string) outcome {
		return outcome{status: status, code: code, attempts: attempts, waits: waits, state: state}
	}
	later := func(waits time.Duration, state string) outcome {
		return outcome{status: 200, attempts: 2, waits: waits, state: state}
	}
	three := func(status int, code string) outcome { return outcome{status: status, code: code, attempts: 3} }
	return []struct {
		fault
		unary, stream, unaryTwo, streamTwo outcome
	}{
		{fault{name: "none"}, good, good, good, good},
		{
			fault{name: "refused", dead: true},
			three(502, "upstream_unreachable"), three(502, "upstream_unreachable"), next, next,
		},
		{
			fault{name: "reset before headers", headers: fixed("X-Demo-Reset", "true")},
			three(502, "upstream_unreachable"), three(502, "upstream_unreachable"), next, next,
		},
		{
			fault{name: "reset in headers", headers: fixed("X-Demo-Reset", "headers")},
			three(502, "upstream_unreachable"), three(502, "upstream_unreachable"), next, next,
		},
		{
			fault{name: "slow first byte", headers: fixed("X-Demo-Latency", "60s")},
			alike(504, "upstream_first_byte_timeout", 3, 33*sec, ""), alike(504, "upstream_first_byte_timeout", 3, 33*sec, ""),
			later(11*sec, ""), later(11*sec, ""),
		},
		{
			fault{name: "408", headers: fixed("X-Demo-Status", "408", "X-Demo-Code", "c")},
			three(408, "c"), three(408, "c"), next, next,
		},
		{
			fault{name: "409", headers: fixed("X-Demo-Status", "409", "X-Demo-Code", "c")},
			three(409, "c"), three(409, "c"), next, next,
		},
		{
			fault{name: "429", headers: fixed("X-Demo-Status", "429")},
			three(429, "rate_limit_exceeded"), three(429, "rate_limit_exceeded"), next, next,
		},
		{
			fault{name: "429 with seconds", headers: fixed("X-Demo-Status", "429", "X-Demo-Retry-After", "2")},
			alike(429, "rate_limit_exceeded", 3, 4*sec, "ejected"), alike(429, "rate_limit_exceeded", 3, 4*sec, "ejected"),
			later(0, "ejected"), later(0, "ejected"),
		},
		{
			fault{name: "429 with milliseconds", headers: fixed("X-Demo-Status", "429", "X-Demo-Retry-After", "9", "X-Demo-Retry-After-Ms", "1500")},
			alike(429, "rate_limit_exceeded", 3, 3*sec, "ejected"), alike(429, "rate_limit_exceeded", 3, 3*sec, "ejected"),
			later(0, "ejected"), later(0, "ejected"),
		},
		{
			fault{name: "429 with a date", headers: dated(3 * sec)},
			alike(429, "rate_limit_exceeded", 3, 6*sec, "ejected"), alike(429, "rate_limit_exceeded", 3, 6*sec, "ejected"),
			later(0, "ejected"), later(0, "ejected"),
		},
		{
			fault{name: "429 with a date that is over", headers: dated(-3 * sec)},
			three(429, "rate_limit_exceeded"), three(429, "rate_limit_exceeded"), next, next,
		},
		{
			fault{name: "429 with more than is waited for", headers: fixed("X-Demo-Status", "429", "X-Demo-Retry-After", "60")},
			alike(429, "rate_limit_exceeded", 1, 0, "ejected"), alike(429, "rate_limit_exceeded", 1, 0, "ejected"),
			later(0, "ejected"), later(0, "ejected"),
		},
		{
			fault{name: "429 with what is no time", headers: fixed("X-Demo-Status", "429", "X-Demo-Retry-After", "soon")},
			three(429, "rate_limit_exceeded"), three(429, "rate_limit_exceeded"), next, next,
		},
		{
			fault{name: "500", headers: fixed("X-Demo-Status", "500", "X-Demo-Code", "c")},
			three(500, "c"), three(500, "c"), next, next,
		},
		{
			fault{name: "502", headers: fixed("X-Demo-Status", "502", "X-Demo-Code", "c")},
			three(502, "c"), three(502, "c"), next, next,
		},
		{
			fault{name: "503 with Retry-After", headers: fixed("X-Demo-Status", "503", "X-Demo-Code", "c", "X-Demo-Retry-After", "1")},
			alike(503, "c", 3, 2*sec, "ejected"), alike(503, "c", 3, 2*sec, "ejected"),
			later(0, "ejected"), later(0, "ejected"),
		},
		{
			fault{name: "an error as first event", headers: fixed("X-Demo-Error-Event", "0", "X-Demo-Code", "server_error")},
			good, three(200, "server_error"), good, next,
		},
		{
			fault{name: "an error after the role", headers: fixed("X-Demo-Error-Event", "1", "X-Demo-Code", "server_error")},
			good, three(200, "server_error"), good, next,
		},
		{
			fault{name: "an error that does not pass", headers: fixed("X-Demo-Error-Event", "0", "X-Demo-Code", "invalid_prompt")},
			good,
			outcome{status: 200, code: "invalid_prompt", attempts: 1},
			good,
			outcome{status: 200, code: "invalid_prompt", attempts: 1},
		},
		{
			fault{name: "an empty answer", headers: fixed("X-Demo-Empty", "true")},
			good, three(502, "upstream_empty_stream"), good, next,
		},
		{
			fault{name: "stall before the first token", headers: fixed("X-Demo-Stall", "events=1", "X-Demo-Length", "chunked")},
			outcome{status: 200, attempts: 1, waits: 17 * sec, broken: true},
			alike(504, "upstream_first_token_timeout", 3, 39*sec, ""),
			outcome{status: 200, attempts: 1, waits: 17 * sec, broken: true},
			later(13*sec, ""),
		},
		{
			fault{name: "stall mid-stream", headers: fixed("X-Demo-Stall", "events=3")},
			outcome{waits: 17 * sec, broken: true},
			outcome{status: 200, code: "upstream_idle_timeout", attempts: 1, waits: 17 * sec, broken: true},
			outcome{waits: 17 * sec, broken: true},
			outcome{status: 200, code: "upstream_idle_timeout", attempts: 1, waits: 17 * sec, broken: true},
		},
		{
			fault{name: "cut between events", headers: fixed("X-Demo-Break", "events=3")},
			outcome{broken: true},
			outcome{status: 200, code: "upstream_broke_off", attempts: 1, broken: true},
			outcome{broken: true},
			outcome{status: 200, code: "upstream_broke_off", attempts: 1, broken: true},
		},
		{
			fault{name: "cut within an event", headers: fixed("X-Demo-Break", "bytes=600")},
			outcome{broken: true},
			outcome{status: 200, code: "upstream_broke_off", attempts: 1, broken: true},
			outcome{broken: true},
			outcome{status: 200, code: "upstream_broke_off", attempts: 1, broken: true},
		},
		{
			fault{name: "cut before the first token", headers: fixed("X-Demo-Break", "events=1")},
			outcome{broken: true},
			three(502, "upstream_unreachable"),
			outcome{broken: true},
			next,
		},
		{
			fault{name: "bad gzip", headers: fixed("X-Demo-Encoding", "bad-gzip")},
			good, good, good, good,
		},
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range faults() {
		for _, c := range []struct {
			name   string
			stream bool
			two    bool
			want   outcome
		}{
			{"unary alone", false, false, tt.unary},
			{"stream alone", true, false, tt.stream},
			{"unary of two", false, true, tt.unaryTwo},
			{"stream of two", true, true, tt.streamTwo},
		} {
			t.Run(tt.name+"/"+c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { tt.try(t, c.stream, c.two, c.want) })
			})
		}
	}
}

// try asks once and compares what came of it.
func (f fault) try(t *testing.T, stream, two bool, want outcome) {
	t.Helper()
	one := demo.New(demo.Options{})
	one.Script(func(*http.Request) http.Header {
		h := http.Header{}
		if f.headers == nil {
			return h
		}
		for list := f.headers(time.Now()); len(list) > 0; list = list[2:] {
			value := list[1]
			if !stream && (list[0] == "X-Demo-Break" || list[0] == "X-Demo-Stall") {
				value = "bytes=40" // a body of one piece has no other middle
			}
			h.Set(list[0], value)
		}
		return h
	})
	config, ups := matrix, map[string]http.Handler{"one": one}
	if f.dead {
		ups = map[string]http.Handler{}
	}
	if two {
		config, ups["two"] = config+second, demo.New(demo.Options{})
	}
	b, stop := inMemory(t, config, ups)
	defer stop()
	start := time.Now()
	res, text, broke := b.ask(t, "/v1/chat/completions",
		`{"model":"demo","stream":`+strconv.FormatBool(stream)+`,"messages":[{"role":"user","content":"count some sheep"}]}`)
	got := outcome{code: lastCode(text), waits: time.Since(start), broken: broke != nil}
	if res != nil {
		got.status = res.StatusCode
		got.attempts, _ = strconv.Atoi(res.Header.Get("X-Relay-Attempts"))
	}
	for _, up := range b.current.Load().pool.Show() {
		if up.Name == "one" && up.State != "healthy" {
			got.state = up.State
		}
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v\nin %q", got, want, text)
	}
	if done := strings.Contains(text, "[DONE]"); stream && res != nil && res.Header.Get("Content-Encoding") == "" && done != (want.code == "" && !want.broken) {
		t.Errorf("[DONE] is there: %t, in %q", done, text)
	}
}

// lastCode returns the code of the error that an answer ends with, be it a body
// or a stream, "" if it ends with none.
func lastCode(text string) string {
	if code := errorCode(text); code != "" {
		return code
	}
	events := strings.Split(strings.TrimRight(text, "\n"), "\n\n")
	var e struct{ Error struct{ Code string } }
	data := strings.TrimPrefix(events[len(events)-1], "data: ")
	_ = json.Unmarshal([]byte(data), &e)
	return e.Error.Code
}
