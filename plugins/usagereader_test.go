package plugins

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readerOf returns a reader for the answers at a path.
func readerOf(path string, question int64) *UsageReader {
	return NewUsageReader(&url.URL{Path: path}, question)
}

// question is the length of the questions of these tests: ten tokens.
const question = 40

func TestUsageOfATextThatIsJSON(t *testing.T) {
	tests := []struct {
		name, path, text string
		want             Usage
	}{
		{
			"a chat", "/v1/chat/completions",
			`{"model":"gpt-4.1","choices":[{"message":{"content":"{\"usage\":1}"}}],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":5}}}`,
			Usage{Input: 9, Output: 12, Cached: 4, Reasoning: 5, Model: "gpt-4.1", Source: UsageReported},
		},
		{
			"a response", "/v1/responses",
			`{"model":"gpt-5","usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":3},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":80},"total_tokens":123}}`,
			Usage{Input: 36, Output: 87, Cached: 3, Reasoning: 80, Model: "gpt-5", Source: UsageReported},
		},
		{
			"embeddings", "/v1/embeddings",
			`{"data":[{"embedding":[0.1,0.2]}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}}`,
			Usage{Input: 8, Model: "e", Source: UsageReported},
		},
		{"embeddings that do not say it", "/v1/embeddings", `{"data":[{"embedding":[0.1,0.2]}]}`, Usage{Input: 10, Source: UsageEstimated}},
		{"a ranking", "/v1/rerank", `{"usage":{"total_tokens":15},"results":[]}`, Usage{Input: 15, Source: UsageReported}},
		{
			"a message", "/v1/messages",
			`{"model":"claude","content":[],"usage":{"input_tokens":10,"cache_creation_input_tokens":20,"cache_read_input_tokens":30,"output_tokens":7}}`,
			Usage{Input: 60, Output: 7, Cached: 30, Written: 20, Model: "claude", Source: UsageReported},
		},
		{"tokens counted", "/v1/messages/count_tokens", `{"input_tokens":14}`, Usage{Input: 14, Source: UsageReported, Counted: true}},
		{
			"Gemini", "/v1beta/models/m:generateContent",
			`{"candidates":[],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":24,"cachedContentTokenCount":4,"thoughtsTokenCount":7,"toolUsePromptTokenCount":2},"modelVersion":"gemini-2.5"}`,
			Usage{Input: 12, Output: 12, Cached: 4, Reasoning: 7, Model: "gemini-2.5", Source: UsageReported},
		},
		{
			"Gemini refuses the question", "/v1beta/models/m:generateContent",
			`{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":10,"totalTokenCount":10}}`,
			Usage{Input: 10, Source: UsageReported},
		},
		{
			"Gemini streams an array", "/v1beta/models/m:streamGenerateContent",
			`[{"usageMetadata":{"promptTokenCount":10}},{"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5}}]`,
			Usage{Input: 10, Output: 5, Source: UsageReported},
		},
		{"no usage", "/v1/chat/completions", `{"choices":[1]}`, Usage{Input: 10, Output: 4, Source: UsageEstimated}},
		{"usage of null", "/v1/chat/completions", `{"usage":null}`, Usage{Input: 10, Output: 4, Source: UsageEstimated}},
		{
			"numbers that cannot be", "/v1/chat/completions", `{"usage":{"prompt_tokens":-5,"completion_tokens":99999999999999999999}}`,
			Usage{Input: 10, Output: 18, Source: UsageEstimated},
		},
		{
			"parts greater than the whole", "/v1/chat/completions",
			`{"usage":{"prompt_tokens":5,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":9},"completion_tokens_details":{"reasoning_tokens":9}}}`,
			Usage{Input: 5, Output: 5, Cached: 5, Reasoning: 5, Source: UsageReported},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, most := range []int{1, 1000} {
				u := readerOf(tt.path, question)
				for rest := tt.text; rest != ""; {
					n := min(most, len(rest))
					u.JSON([]byte(rest[:n]))
					rest = rest[n:]
				}
				if diff := cmp.Diff(tt.want, u.Usage(true)); diff != "" {
					t.Errorf("in pieces of %d (-want +got):\n%s", most, diff)
				}
			}
		})
	}
}

func TestUsageOfAnAnswerThatBrokeOff(t *testing.T) {
	u := readerOf("/v1/chat/completions", question)
	u.JSON([]byte(`{"choices":[{"mes`))
	if diff := cmp.Diff(Usage{Input: 10, Output: 5, Source: UsagePartial}, u.Usage(false)); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
}

func TestUsageOfWhatCannotBeRead(t *testing.T) {
	for whole, want := range map[bool]UsageSource{true: UsageEstimated, false: UsagePartial} {
		u := readerOf("/v1/chat/completions", 41)
		u.Opaque(make([]byte, 9))
		if diff := cmp.Diff(Usage{Input: 11, Output: 3, Source: want}, u.Usage(whole)); diff != "" {
			t.Errorf("whole %t (-want +got):\n%s", whole, diff)
		}
	}
}

// FuzzUsageReader holds that usage is never out of bounds, whatever an upstream
// writes, and that pieces do not matter.
func FuzzUsageReader(f *testing.F) {
	f.Add([]byte(`{"model":"m","usage":{"prompt_tokens":1,"input_tokens":2,"cache_read_input_tokens":3,"total_tokens":1}}`), 3)
	f.Add([]byte(`{"response":{"usage":{"output_tokens":1}},"message":{"usage":{"input_tokens":1}}}`), 1)
	f.Add([]byte(`{"usageMetadata":{"thoughtsTokenCount":1,"promptTokenCount":1000000000,"toolUsePromptTokenCount":1000000000}}`), 8)
	paths := []string{"/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1beta/models/m:streamGenerateContent", "/v1/embeddings", "/v1/messages/count_tokens"}
	f.Fuzz(func(t *testing.T, text []byte, most int) {
		for _, path := range paths {
			event, part, whole, pieces := readerOf(path, 1), readerOf(path, 1), readerOf(path, 1), readerOf(path, 1)
			event.Event("", text)
			part.EventPart(text, true)
			whole.JSON(text)
			for rest := text; len(rest) > 0; {
				n := min(max(most, 1), len(rest))
				pieces.JSON(rest[:n])
				rest = rest[n:]
			}
			if diff := cmp.Diff(whole.Usage(true), pieces.Usage(true)); diff != "" {
				t.Errorf("%s: %q in pieces (-whole +pieces):\n%s", path, text, diff)
			}
			for _, u := range []*UsageReader{event, part, whole} {
				for _, end := range []bool{true, false} {
					if use := u.Usage(end); use.Input < 0 || use.Output < 0 || use.Cached+use.Written > use.Input || use.Reasoning > use.Output ||
						use.Total() > 6*maxTokens || len(use.Model) > 4*modelBytes {
						t.Errorf("%s: %q gives %+v", path, text, use)
					}
				}
			}
		}
	})
}

func TestAQuestionThatIsNotReportedIsMeasured(t *testing.T) {
	image := `{"model":"m","image":"` + picture(100_000) + `"}`
	req := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(image))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(image)), nil }
	call := NewCall("", func() Ask { return ReadAsk(req, []byte(image), true) })
	for _, tt := range []struct {
		name, answer string
		measured     bool
		want         int64
	}{
		{"by its length", `{"model":"m"}`, false, 25_006},
		{"by what is in it", `{"model":"m"}`, true, 1006},
		{"as it is reported", `{"model":"m","usage":{"prompt_tokens":770,"completion_tokens":1}}`, true, 770},
	} {
		u := NewUsageReader(req.URL, req.ContentLength)
		if tt.measured {
			u.Measure(call, req)
		}
		u.JSON([]byte(tt.answer))
		if got := u.Usage(true).Input; got != tt.want {
			t.Errorf("%s it is %d tokens, want %d", tt.name, got, tt.want)
		}
	}
}

func TestAnEventNeedsNoMemory(t *testing.T) {
	u := readerOf("/v1/chat/completions", question)
	data := []byte(`{"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],"usage":null}`)
	u.Event("", data)
	if got := testing.AllocsPerRun(100, func() { u.Event("", data) }); got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}

func BenchmarkUsageOfAnEvent(b *testing.B) {
	u := readerOf("/v1/chat/completions", question)
	data := []byte(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4.1","choices":[{"index":0,"delta":{"content":" sheep"},"finish_reason":null}],"usage":null}`)
	b.ReportAllocs()
	for b.Loop() {
		u.Event("", data)
	}
}

func BenchmarkUsageOfAText(b *testing.B) {
	text := []byte(`{"model":"m","choices":[{"message":{"content":"` + strings.Repeat("wool ", 3200) + `"}}],"usage":{"prompt_tokens":9,"completion_tokens":12}}`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		u := readerOf("/v1/chat/completions", question)
		u.JSON(text)
		_ = u.Usage(true)
	}
}
