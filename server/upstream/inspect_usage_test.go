package upstream

import (
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestUsageIsKnownWhenTheAnswerEnds(t *testing.T) {
	whole := strings.Replace(chatAsk, `"stream":true,`, "", 1)
	asked := (int64(len(chatAsk)) + 3) / 4
	tests := []struct {
		name, path, body string
		shape            []string
		want             plugins.Usage
	}{
		{"a chat", chatPath, whole, nil, plugins.Usage{Input: 3, Output: 5, Model: "gpt-4o", Source: plugins.UsageReported}},
		{"a chat in pieces", chatPath, whole, []string{"X-Demo-Packets: bytes=5"}, plugins.Usage{Input: 3, Output: 5, Model: "gpt-4o", Source: plugins.UsageReported}},
		{"embeddings", "/v1/embeddings", `{"model":"e","input":"hello big world"}`, nil, plugins.Usage{Input: 3, Model: "e", Source: plugins.UsageReported}},
		{"a response", "/v1/responses", `{"model":"m","input":"hello big world"}`, nil, plugins.Usage{Input: 3, Output: 5, Model: "m", Source: plugins.UsageReported}},
		{"a stream with usage", chatPath, withThem, nil, plugins.Usage{Input: 3, Output: 5, Model: "gpt-4o", Source: plugins.UsageReported}},
		{"a stream without", chatPath, chatAsk, nil, plugins.Usage{Input: asked, Output: 6, Model: "gpt-4o", Source: plugins.UsageEstimated}},
		{"a stream of a response", "/v1/responses", `{"model":"m","stream":true,"input":"hello big world"}`, nil, plugins.Usage{Input: 3, Output: 5, Model: "m", Source: plugins.UsageReported}},
		{"a stream that breaks off", chatPath, chatAsk, []string{"X-Demo-Break: events=4"}, plugins.Usage{Input: asked, Output: 3, Model: "gpt-4o", Source: plugins.UsagePartial}},
		{"one that is encoded", chatPath, whole, []string{"X-Demo-Encoding: bad-gzip"}, plugins.Usage{Input: (int64(len(whole)) + 3) / 4, Output: 70, Source: plugins.UsageEstimated}},
		{"an error", chatPath, whole, []string{"X-Demo-Status: 429"}, plugins.Usage{}},
		{"what is not looked into", "/v1/echo", `{"usage":{"prompt_tokens":1,"completion_tokens":1}}`, nil, plugins.Usage{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := newTrial(t, still(), tt.path, tt.body, func(s *Settings) { s.IncludeUsage = tt.name != "a stream without" })
			maps.Copy(x.req.Header, shaped(tt.shape...))
			res, err := x.do()
			if err != nil {
				t.Fatal(err)
			}
			if got := x.attempt.Usage(); got != (plugins.Usage{}) {
				t.Errorf("usage before the end = %+v", got)
			}
			var got plugins.Usage
			plugins.Watch(res, nil, func(bool) { got = x.attempt.Usage() })
			text, _ := readAll(t, res, nil)
			if tt.name == "one that is encoded" {
				tt.want.Output = (int64(len(text)) + 3) / 4
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("usage of %s (-want +got):\n%s", text, diff)
			}
		})
	}
}

func TestUsageThatTheRelayAskedForIsTakenOut(t *testing.T) {
	for _, newline := range []string{"lf", "crlf", "cr"} {
		for _, packets := range []string{"events=1", "bytes=1", "bytes=100000"} {
			for _, length := range []string{"chunked", "fixed"} {
				t.Run(newline+" "+packets+" "+length, func(t *testing.T) {
					h := shaped("X-Demo-Newline: "+newline, "X-Demo-Packets: "+packets, "X-Demo-Length: "+length)
					x := newTrial(t, still(), chatPath, chatAsk, nil)
					for name := range h {
						x.req.Header[name] = h[name]
					}
					res, err := x.do()
					if err == nil && (res.ContentLength != -1 || res.Header.Get("Content-Length") != "") {
						t.Errorf("length = %d, want none", res.ContentLength)
					}
					got, err := readAll(t, res, err)
					if want := direct(t, chatPath, chatAsk, h); got != want || err != nil {
						t.Errorf("%v, got\n%q, want\n%q", err, got, want)
					}
					want := plugins.Usage{Input: 3, Output: 5, Model: "gpt-4o", Source: plugins.UsageReported}
					if diff := cmp.Diff(want, x.attempt.Usage()); diff != "" {
						t.Errorf("usage (-want +got):\n%s", diff)
					}
				})
			}
		}
	}
}

func TestWhatIsTakenOut(t *testing.T) {
	tests := []struct{ name, stream, want string }{
		{"usage alone", `{"choices":[],"usage":{"prompt_tokens":1}}`, ""},
		{"usage and white space", `{"choices": [ ], "usage": {"prompt_tokens":1}}`, ""},
		{"usage beside a choice", `{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1}}`, `{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1}}`},
		{"no usage beside a choice", `{"usage":null,"choices":[{"delta":{"content":"\"usage\":null"}}]}`, `{"choices":[{"delta":{"content":"\"usage\":null"}}]}`},
		{"no usage and no choice", `{"choices":[],"prompt_filter_results":[1],"usage":null}`, `{"choices":[],"prompt_filter_results":[1]}`},
		{"usage further in", `{"choices":[{"usage":null}]}`, `{"choices":[{"usage":null}]}`},
		{"no object", `"usage"`, `"usage"`},
		{"cut off", `{"usage"`, `{"usage"`},
		{"nothing in its place", `{"usage":,"choices":}`, `{"usage":,"choices":}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const begin, end = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n", "data: [DONE]\n\n"
			want := begin + "id: 7\ndata: " + tt.want + "\n\n" + end
			if tt.want == "" {
				want = begin + end
			}
			src := io.NopCloser(strings.NewReader(begin + "id: 7\ndata: " + tt.stream + "\n\n" + end))
			x := newTrialAt(t, "http://one/v1", chatPath, chatAsk, nil).answers(src)
			res, err := x.do()
			if got, err := readAll(t, res, err); got != want || err != nil {
				t.Errorf("%v, got %q, want %q", err, got, want)
			}
		})
	}
}

func TestWhoIsAskedForUsage(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		set, want                bool
	}{
		{"a stream of a chat", http.MethodPost, chatPath, chatAsk, true, true},
		{"a stream of completions", http.MethodPost, "/v1/completions", `{"stream":true}`, true, true},
		{"Azure's", http.MethodPost, "/openai/deployments/d/chat/completions", chatAsk, true, true},
		{"no stream", http.MethodPost, chatPath, `{"model":"m"}`, true, false},
		{"the client did", http.MethodPost, chatPath, withThem, true, false},
		{"it is switched off", http.MethodPost, chatPath, chatAsk, false, false},
		{"another wire", http.MethodPost, "/v1/responses", chatAsk, true, false},
		{"another method", http.MethodGet, chatPath, chatAsk, true, false},
		{"a stream in doubt", http.MethodPost, chatPath, `{"stream":true,"stream":true}`, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set := Defaults()
			set.IncludeUsage = tt.set
			req := plugintest.Request(t, tt.body)
			req.Method = tt.method
			a := &asking{call: plugins.CallOf(req.Context()), member: &member{set: set}}
			a.route, _ = wire.Of(tt.path)
			if tt.name == "the client did" && !a.call.Ask().IncludeUsage {
				t.Skip("nobody reads include_usage yet")
			}
			if got := a.wantsUsage(req); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}

func TestTokensAreCounted(t *testing.T) {
	x := newTrial(t, still(), chatPath, withThem, nil)
	res, err := x.do()
	_, _ = readAll(t, res, err)
	ctx, leave := context.WithCancel(x.req.Context())
	x.req = x.req.Clone(ctx)
	x.req.Body, _ = x.req.GetBody()
	x.req.Header.Set("X-Demo-Stall", "events=3")
	res, err = x.do()
	if err != nil {
		t.Fatal(err)
	}
	leave()
	_ = res.Body.Close()
	count := func(kind string, source plugins.UsageSource) float64 {
		return read(t, x.metrics.tokens.tokens.WithLabelValues("one", kind, string(source))).GetCounter().GetValue()
	}
	if in, out := count("input", plugins.UsageReported), count("output", plugins.UsageReported); in != 3 || out != 5 {
		t.Errorf("reported %v and %v, want 3 and 5", in, out)
	}
	if in, out := count("input", plugins.UsagePartial), count("output", plugins.UsagePartial); in == 0 || out != 1 {
		t.Errorf("in part %v and %v, want some and 1", in, out)
	}
}

// read returns what a metric shows.
func read(t *testing.T, m any) *dto.Metric {
	t.Helper()
	var shown dto.Metric
	if err := m.(prometheus.Metric).Write(&shown); err != nil {
		t.Fatal(err)
	}
	return &shown
}

func TestTheTimeToTheFirstTokenIsTakenDown(t *testing.T) {
	for _, peek := range []plugins.Size{0, 64 * plugins.KiB} {
		synctest.Test(t, func(t *testing.T) {
			in, out := io.Pipe()
			x := newTrialAt(t, "http://one/v1", chatPath, chatAsk, func(s *Settings) { s.Peek = peek }).answers(in)
			go func() {
				time.Sleep(7 * time.Second)
				_, _ = io.WriteString(out, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n")
				time.Sleep(time.Second)
				_, _ = io.WriteString(out, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n")
				_ = out.Close()
			}()
			res, err := x.do()
			_, _ = readAll(t, res, err)
			h := read(t, x.metrics.tokens.firstToken.WithLabelValues("one")).GetHistogram()
			if h.GetSampleCount() != 1 || h.GetSampleSum() != 7 {
				t.Errorf("peek of %s: %d of %vs in all, want one of 7s", peek, h.GetSampleCount(), h.GetSampleSum())
			}
		})
	}
}
