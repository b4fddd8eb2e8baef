package cache_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

// A script is a stream of one of the APIs.
type script struct{ name, path, body, stream string }

// scripts are whole streams as the APIs send them.
func scripts() []script {
	anthropic := "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3}}}\n\n" +
		"event: ping\ndata: {\"type\":\"ping\"}\n\n" +
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n" +
		"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
		"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":1}}\n\n" +
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	responses := "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{}}\n\n" +
		"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\n" +
		"event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"output\":[\"" + strings.Repeat("x", 100) + "\"]}}\n\n"
	completions := "data: {\"choices\":[{\"index\":0,\"text\":\"Hi\",\"finish_reason\":null}]}\n\n" +
		"data: {\"choices\":[{\"index\":0,\"text\":\"\",\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n"
	chat := strings.Join(chunks(2), "")
	greedy := `{"temperature":0,"stream":true}`
	return []script{
		{"chat", "/v1/chat/completions", greedy, chat},
		{"chat with CR LF", "/v1/chat/completions", greedy, strings.ReplaceAll(chat, "\n", "\r\n")},
		{"chat with comments", "/v1/chat/completions", greedy, ": hello\n\n" + chat},
		{"chat over several lines", "/v1/chat/completions", greedy, strings.ReplaceAll(chat, `,"choices"`, ",\ndata: \"choices\"")},
		{"completions", "/v1/completions", greedy, completions},
		{"responses", "/v1/responses", `{"temperature":0,"stream":true,"store":false}`, responses},
		{"messages", "/v1/messages", greedy, anthropic},
		{"messages without names", "/v1/messages", greedy, strings.ReplaceAll(anthropic, "event: ", "x: ")},
	}
}

// streaming is an upstream that answers with the stream.
func streaming(text string) *plugintest.Upstream {
	return answering("", func(r *http.Response) {
		r.Header = http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}, "X-Request-Id": {"r"}}
		r.ContentLength = -1
		r.Body = io.NopCloser(strings.NewReader(text))
	})
}

// TestStreamsAreReplayed has each stream come again, byte for byte, with its type
// and no other header of the first call.
func TestStreamsAreReplayed(t *testing.T) {
	for _, s := range scripts() {
		t.Run(s.name, func(t *testing.T) {
			rt := caching(t, streaming(s.stream), nil)
			first, second := ask(t, rt, to(t, s.path, s.body)), ask(t, rt, to(t, s.path, s.body))
			if first.cache != "MISS" || first.body != s.stream || first.header.Get("X-Request-Id") != "r" {
				t.Errorf("the first is a %s of %d bytes, want the upstream's answer", first.cache, len(first.body))
			}
			if second.cache != "HIT" || second.body != s.stream || len(second.header) != 1 || second.header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
				t.Errorf("the second is a %s of %d bytes with %v, want the same stream", second.cache, len(second.body), second.header)
			}
		})
	}
}

// TestAStreamThatIsCutIsNotStored cuts each stream at every byte: whoever asks
// gets what there is, and the next one a new answer.
func TestAStreamThatIsCutIsNotStored(t *testing.T) {
	for _, s := range scripts() {
		t.Run(s.name, func(t *testing.T) {
			for cut := range len(s.stream) {
				upstream := streaming(s.stream[:cut])
				rt := caching(t, upstream, nil)
				if got := ask(t, rt, to(t, s.path, s.body)); got.body != s.stream[:cut] {
					t.Errorf("cut at %d: %d bytes came", cut, len(got.body))
				}
				if got := ask(t, rt, to(t, s.path, s.body)).cache; got != "MISS" {
					t.Errorf("cut at %d, behind %q: a %s", cut, s.stream[max(0, cut-30):cut], got)
				}
			}
		})
	}
}

// TestStreamsSayNoCache has a stream say what all APIs say of theirs.
func TestStreamsSayNoCache(t *testing.T) {
	text := strings.Join(chunks(2), "")
	for control, want := range map[string]string{
		"no-cache": "HIT", "no-cache, must-revalidate, max-age=0": "HIT", "max-age=60": "HIT",
		"no-store": "MISS", "no-cache, no-store": "MISS", "private, no-cache": "MISS", "max-age=0": "MISS",
	} {
		rt := caching(t, answering("", func(r *http.Response) {
			r.Header = http.Header{"Content-Type": {"text/event-stream"}, "Cache-Control": {control}}
			r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader(text))
		}), nil)
		ask(t, rt, plugintest.Request(t, greedyStream))
		if got := ask(t, rt, plugintest.Request(t, greedyStream)).cache; got != want {
			t.Errorf("%s: a %s, want a %s", control, got, want)
		}
	}
}

func TestStreamsThatAreNotStored(t *testing.T) {
	chat := chunks(2)
	text := strings.Join(chat, "")
	stop := `"finish_reason":"stop"`
	tests := []struct{ name, stream string }{
		{"an error in the middle", chat[0] + "data: {\"error\":{\"message\":\"x\"}}\n\n" + strings.Join(chat[1:], "")},
		{"an error by name", text[:len(text)-14] + "event: error\ndata: {}\n\n" + "data: [DONE]\n\n"},
		{"no finish reason", strings.ReplaceAll(text, stop, `"finish_reason":null`)},
		{"the finish reason of an error", strings.ReplaceAll(text, stop, `"finish_reason":"error"`)},
		{"one of two choices without", strings.Replace(text, "data: [DONE]", "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"}}]}\n\ndata: [DONE]", 1)},
		{"something behind the end", text + chat[1]},
		{"nothing but the end", "data: [DONE]\n\n"},
		{"no stream", whole},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rt := caching(t, streaming(tt.stream), nil)
			ask(t, rt, plugintest.Request(t, greedyStream))
			if got := ask(t, rt, plugintest.Request(t, greedyStream)); got.cache != "MISS" || got.body != tt.stream {
				t.Errorf("a %s of %d bytes, want a MISS", got.cache, len(got.body))
			}
		})
	}
}

func TestOtherEndsOfStreams(t *testing.T) {
	s := scripts()
	responses, messages := s[5], s[6]
	tests := []struct{ name, path, body, stream string }{
		{"a response that is not complete", responses.path, responses.body, strings.ReplaceAll(responses.stream, "response.completed", "response.incomplete")},
		{"a response that failed", responses.path, responses.body, strings.ReplaceAll(responses.stream, "response.completed", "response.failed")},
		{"a message without a reason", messages.path, messages.body, strings.ReplaceAll(messages.stream, `"end_turn"`, "null")},
		{"a message with an error", messages.path, messages.body, strings.Replace(messages.stream, "event: ping\ndata: {\"type\":\"ping\"}", "event: error\ndata: {\"type\":\"error\"}", 1)},
		{"an API of which no end is known", "/v1/rerank", `{"stream":true}`, "data: {}\n\ndata: [DONE]\n\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rt := caching(t, streaming(tt.stream), nil)
			ask(t, rt, to(t, tt.path, tt.body))
			if got := ask(t, rt, to(t, tt.path, tt.body)).cache; got != "MISS" {
				t.Errorf("a %s, want a MISS", got)
			}
		})
	}
}

// TestALongEventIsLookedInto ends a response with an event that comes in pieces.
func TestALongEventIsLookedInto(t *testing.T) {
	s := scripts()[5]
	long := strings.Replace(s.stream, strings.Repeat("x", 100), strings.Repeat("x", 300_000), 1)
	rt := caching(t, streaming(long), nil)
	ask(t, rt, to(t, s.path, s.body))
	if got := ask(t, rt, to(t, s.path, s.body)); got.cache != "HIT" || got.body != long {
		t.Errorf("a %s of %d bytes, want a HIT", got.cache, len(got.body))
	}
}

// TestALongStreamTakesNoMemory passes 10,000 events, and looks at what
// recordings take while they pass.
func TestALongStreamTakesNoMemory(t *testing.T) {
	const most = 64 << 10
	events := chunks(10_000)
	env := plugintest.Env(t, nil)
	link := plugintest.Link(t, cache.Plugin, env, func(s *cache.Settings) { s.MaxValue = most })
	rt := link.Fetch(streaming(strings.Join(events, "")))
	res, err := rt.RoundTrip(plugintest.Request(t, greedyStream))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	total, buf := 0, make([]byte, 300)
	for {
		n, err := res.Body.Read(buf)
		total += n
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var used int
		_, state := operate(t, link, http.MethodGet, "/cache")
		if i := strings.Index(state, `"recording_bytes":`); i < 0 {
			t.Fatal(state)
		} else if _, err := fmt.Sscanf(state[i:], `"recording_bytes":%d`, &used); err != nil {
			t.Fatal(err)
		}
		if used > most+most { // a piece more at either end
			t.Fatalf("%d bytes are taken after %d, want about %d at most", used, total, most)
		}
	}
	if total != len(strings.Join(events, "")) {
		t.Errorf("%d bytes came, want all", total)
	}
	if got := ask(t, rt, plugintest.Request(t, greedyStream)).cache; got != "MISS" {
		t.Errorf("a stream longer than max_value is a %s", got)
	}
}

// TestAnswersInTwoForms asks in one form and then in another.
func TestAnswersInTwoForms(t *testing.T) {
	const streamUsage = `{"model":"m","temperature":0,"messages":[],"stream":true,"stream_options":{"include_usage":true}}`
	for _, first := range []string{greedy, greedyStream, streamUsage} {
		for _, second := range []string{greedy, greedyStream, streamUsage} {
			for _, convert := range []bool{false, true} {
				u := &talk{events: chunks(3)}
				rt := caching(t, u, func(s *cache.Settings) { s.Convert = convert })
				ask(t, rt, plugintest.Request(t, first))
				got := ask(t, rt, plugintest.Request(t, second))
				want := "MISS"
				if first == second || convert {
					want = "HIT"
				}
				if got.cache != want {
					t.Errorf("convert %t: %s after %s is a %s, want a %s", convert, second, first, got.cache, want)
				}
				if got.cache == "HIT" && first != second && (strings.HasSuffix(got.body, "[DONE]\n\n") != (second != greedy) || strings.Contains(got.body, `"total_tokens"`) != (second == streamUsage || second == greedy && first != greedy)) {
					t.Errorf("%s after %s: %s", second, first, got.body)
				}
			}
		}
	}
}
