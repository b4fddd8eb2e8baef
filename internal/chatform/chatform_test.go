package chatform

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/canon"
)

// known are tokens that an upstream has told.
func known() answer.Tokens { return answer.Tokens{Input: 3, Output: 5, Known: true} }

// same reports whether two JSON texts say the same.
func equal(t *testing.T, a, b []byte) bool {
	t.Helper()
	sum := func(text []byte) (s [32]byte) {
		doc, err := canon.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		h := sha256.New()
		_, _ = doc.WriteTo(h)
		h.Sum(s[:0])
		return s
	}
	return sum(a) == sum(b)
}

const usage = `{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}`

// unary returns an answer with these choices.
func unary(choices string) string {
	return `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000123456789,"model":"m","service_tier":null,"choices":[` + choices +
		`],"usage":` + usage + `}`
}

// answers are answers in one piece that convert exactly.
func answers() map[string]string {
	return map[string]string{
		"a text":              unary(`{"index":0,"message":{"role":"assistant","content":"Hi \"you\" \ud83d\ude00","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}`),
		"a refusal":           unary(`{"index":0,"message":{"role":"assistant","content":null,"refusal":"No."},"finish_reason":"stop"}`),
		"two choices":         unary(`{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"},{"index":1,"message":{"role":"assistant","content":""},"finish_reason":"length"}`),
		"tool calls":          unary(`{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"custom","custom":{"name":"g","input":"y"}}]},"finish_reason":"tool_calls"}`),
		"a call of old":       unary(`{"index":0,"message":{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},"finish_reason":"function_call"}`),
		"reasoning":           unary(`{"index":0,"message":{"role":"assistant","reasoning_content":"Hm.","content":"a"},"finish_reason":"stop"}`),
		"log probabilities":   unary(`{"index":0,"message":{"role":"assistant","content":"a"},"logprobs":{"content":[{"token":"a","logprob":-0.10}],"refusal":null},"finish_reason":"stop"}`),
		"what a choice knows": unary(`{"index":0,"message":{"role":"assistant","content":"a"},"stop_reason":null,"matched_stop":12,"finish_reason":"stop"}`),
	}
}

// TestThereAndBack makes a stream of each answer and one piece of that.
func TestThereAndBack(t *testing.T) {
	for name, text := range answers() {
		t.Run(name, func(t *testing.T) {
			for _, form := range []answer.Form{answer.Stream, answer.Usage} {
				stream, err := To([]byte(text), answer.Unary, form, answer.Tokens{})
				if err != nil {
					t.Fatal(err)
				}
				if has := strings.Contains(string(stream), usage); has != (form == answer.Usage) || !strings.HasSuffix(string(stream), "data: [DONE]\n\n") {
					t.Errorf("the stream in form %d is\n%s", form, stream)
				}
				back, err := To(stream, form, answer.Unary, known())
				if err != nil || !equal(t, back, []byte(text)) {
					t.Errorf("back it is %s, %v\nwant %s", back, err, text)
				}
			}
		})
	}
}

// stream returns a stream of chunks with these choices.
func stream(choices ...string) string {
	var b strings.Builder
	for _, c := range choices {
		b.WriteString(`data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[` + c + "]}\n\n")
	}
	return b.String() + "data: [DONE]\n\n"
}

const stop = `{"index":0,"delta":{},"finish_reason":"stop"}`

// TestJoining joins streams as they come.
func TestJoining(t *testing.T) {
	head := `{"object":"chat.completion","id":"1","created":1,"model":"m","choices":[`
	tail := `],"usage":` + usage + `}`
	tests := []struct{ name, stream, want string }{
		{
			"words", stream(`{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}`, `{"index":0,"delta":{"content":"Hi"},"finish_reason":null}`, `{"index":0,"delta":{"content":" you"},"finish_reason":null}`, stop),
			`{"index":0,"message":{"role":"assistant","content":"Hi you"},"finish_reason":"stop"}`,
		},
		{
			"half a character", stream(`{"index":0,"delta":{"role":"assistant","content":"\ud83d"}}`, `{"index":0,"delta":{"content":"\ude00"}}`, stop),
			`{"index":0,"message":{"role":"assistant","content":"😀"},"finish_reason":"stop"}`,
		},
		{
			"calls of tools by the piece", stream(
				`{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}`,
				`{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}]}}`,
				`{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}},{"index":0,"function":{"arguments":"1}"}}]}}`,
				`{"index":0,"delta":{},"finish_reason":"tool_calls"}`),
			`{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"tool_calls"}`,
		},
		{
			"choices in turn", stream(`{"index":1,"delta":{"role":"assistant","content":"b"}}`, `{"index":0,"delta":{"role":"assistant","content":"a"}}`, stop, `{"index":1,"delta":{"content":"c"},"finish_reason":"length"}`),
			`{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"},{"index":1,"message":{"role":"assistant","content":"bc"},"finish_reason":"length"}`,
		},
		{
			"probabilities by the piece", stream(`{"index":0,"delta":{"role":"assistant","content":"a"},"logprobs":{"content":[{"x":1}]}}`, `{"index":0,"delta":{"content":"b"},"logprobs":{"content":[{"x":2.50}]}}`, stop),
			`{"index":0,"message":{"role":"assistant","content":"ab"},"logprobs":{"content":[{"x":1},{"x":2.50}]},"finish_reason":"stop"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := To([]byte(tt.stream), answer.Stream, answer.Unary, known())
			if err != nil || !equal(t, got, []byte(head+tt.want+tail)) {
				t.Errorf("To = %s, %v\nwant %s", got, err, head+tt.want+tail)
			}
		})
	}
}

// TestWhatIsNotExact is refused.
func TestWhatIsNotExact(t *testing.T) {
	first := `{"index":0,"delta":{"role":"assistant","content":"a"}}`
	tests := []struct {
		name, text string
		from, to   answer.Form
		used       answer.Tokens
	}{
		{"audio", unary(`{"index":0,"message":{"role":"assistant","content":null,"audio":{"id":"x"}},"finish_reason":"stop"}`), answer.Unary, answer.Stream, known()},
		{"annotations", unary(`{"index":0,"message":{"role":"assistant","content":"a","annotations":[{}]},"finish_reason":"stop"}`), answer.Unary, answer.Stream, known()},
		{"a content in parts", unary(`{"index":0,"message":{"role":"assistant","content":[{"type":"text"}]},"finish_reason":"stop"}`), answer.Unary, answer.Stream, known()},
		{"a member of a call that nobody knows", unary(`{"index":0,"message":{"role":"assistant","tool_calls":[{"id":"a","x":1}]},"finish_reason":"stop"}`), answer.Unary, answer.Stream, known()},
		{"no reason", unary(`{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":null}`), answer.Unary, answer.Stream, known()},
		{"another object", `{"object":"text_completion","choices":[]}`, answer.Unary, answer.Stream, known()},
		{"a member twice", `{"object":"chat.completion","id":1,"id":2,"choices":[]}`, answer.Unary, answer.Stream, known()},
		{"no JSON", `hello`, answer.Unary, answer.Stream, known()},
		{"a use that nobody told", strings.Replace(unary(`{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}`), `,"usage":`+usage, "", 1), answer.Unary, answer.Usage, answer.Tokens{}},
		{"a delta that nobody knows", stream(first, `{"index":0,"delta":{"citations":[1]}}`, stop), answer.Stream, answer.Unary, known()},
		{"a member of a choice in the middle", stream(`{"index":0,"delta":{"content":"a"},"content_filter_results":{"x":1}}`, stop), answer.Stream, answer.Unary, known()},
		{"chunks that differ", strings.Replace(stream(first, stop), `"model":"m"`, `"model":"n"`, 1), answer.Stream, answer.Unary, known()},
		{"a choice without a reason", stream(first), answer.Stream, answer.Unary, known()},
		{"two reasons", stream(first, stop, stop), answer.Stream, answer.Unary, known()},
		{"nothing", "data: [DONE]\n\n", answer.Stream, answer.Unary, known()},
		{"an estimate", stream(first, stop), answer.Stream, answer.Unary, answer.Tokens{Known: true, Estimated: true}},
		{"a use that the other form cannot tell", stream(first, stop), answer.Stream, answer.Unary, answer.Tokens{Known: true, Written: 1}},
		{"an estimate for a stream", stream(first, stop), answer.Stream, answer.Usage, answer.Tokens{Known: true, Estimated: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := To([]byte(tt.text), tt.from, tt.to, tt.used); !errors.Is(err, ErrInexact) || got != nil {
				t.Errorf("To = %s, %v, want %v", got, err, ErrInexact)
			}
		})
	}
}

func TestUsageOfStreams(t *testing.T) {
	bare := stream(`{"index":0,"delta":{"role":"assistant","content":"a"}}`, stop)
	used := answer.Tokens{Input: 9, Output: 7, Cached: 4, Reasoning: 2, Known: true}
	with, err := To([]byte(bare), answer.Stream, answer.Usage, used)
	const want = `"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":7,"total_tokens":16,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}`
	if err != nil || !strings.Contains(string(with), want) || strings.Count(string(with), `"usage":null`) != 2 {
		t.Errorf("To = %s, %v", with, err)
	}
	without, err := To(with, answer.Usage, answer.Stream, answer.Tokens{})
	if err != nil || strings.Contains(string(without), "usage") || string(without) != bare {
		t.Errorf("back it is %s, %v, want %s", without, err, bare)
	}
	if same, err := To([]byte(bare), answer.Stream, answer.Stream, answer.Tokens{}); string(same) != bare || err != nil {
		t.Errorf("in the same form it is %s, %v", same, err)
	}
}

// TestRandomAnswers makes streams of random answers, cuts their deltas into
// pieces, and makes one piece of that.
func TestRandomAnswers(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		var choices, chunks []string
		for index := range 1 + r.IntN(3) {
			text, parts := "", []string{}
			for range r.IntN(6) {
				piece := [...]string{"a", `\n`, `\"`, "é", `\u0041`, "𝄞", " "}[r.IntN(7)]
				text += piece
				parts = append(parts, fmt.Sprintf(`{"index":%d,"delta":{"content":"%s"},"finish_reason":null}`, index, piece))
			}
			choices = append(choices, fmt.Sprintf(`{"index":%d,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}`, index, text))
			chunks = append(chunks, fmt.Sprintf(`{"index":%d,"delta":{"role":"assistant","content":""},"finish_reason":null}`, index))
			chunks = append(append(chunks, parts...), fmt.Sprintf(`{"index":%d,"delta":{},"finish_reason":"stop"}`, index))
		}
		want := `{"object":"chat.completion","id":"1","created":1,"model":"m","choices":[` + strings.Join(choices, ",") + `],"usage":` + usage + `}`
		got, err := To([]byte(stream(chunks...)), answer.Stream, answer.Unary, known())
		if err != nil || !equal(t, got, []byte(want)) {
			t.Fatalf("seed %d: %s, %v\nwant %s", seed, got, err, want)
		}
	}
}

// FuzzTo converts anything: what comes out is valid, and there and back is the
// same where both are exact.
func FuzzTo(f *testing.F) {
	for _, text := range answers() {
		f.Add([]byte(text), false)
	}
	f.Add([]byte(stream(`{"index":0,"delta":{"role":"assistant","content":"a"}}`, stop)), true)
	f.Fuzz(func(t *testing.T, text []byte, streamed bool) {
		if streamed {
			out, err := To(text, answer.Stream, answer.Unary, known())
			if err == nil && canon.Member(out, "choices") == nil {
				t.Errorf("%q became %q", text, out)
			}
			return
		}
		if _, err := canon.Parse(text); err != nil {
			return
		}
		out, err := To(text, answer.Unary, answer.Usage, known())
		if err != nil {
			return
		}
		back, err := To(out, answer.Usage, answer.Unary, known())
		if err != nil {
			return
		}
		if _, err := canon.Parse(back); err != nil {
			t.Errorf("%q became %q and then %q: %v", text, out, back, err)
		}
	})
}
