package demo

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGenerateContent(t *testing.T) {
	const (
		head = `{"candidates":[{"content":{"role":"model","parts":[{"text":"You said: hello big world"}]},"finishReason":"STOP","index":0}`
		two  = `,{"content":{"role":"model","parts":[{"text":"You said (2): hello big world"}]},"finishReason":"STOP","index":1}`
		tail = `"promptTokensDetails":[{"modality":"TEXT","tokenCount":5}]},"modelVersion":"gemini-pro","responseId":"resp-demo-1"}`
	)
	got := asked(t, generatePath, geminiBody)
	if diff := cmp.Diff(got, head+`],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":5,"totalTokenCount":10,`+tail); diff != "" {
		t.Errorf("answer (-got +want):\n%s", diff)
	}
	got = asked(t, generatePath, strings.Replace(geminiBody, "{", `{"generationConfig":{"candidateCount":2},`, 1))
	if diff := cmp.Diff(got, head+two+`],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":11,"totalTokenCount":16,`+tail); diff != "" {
		t.Errorf("two answers (-got +want):\n%s", diff)
	}
}

func TestGeminiCountsTokens(t *testing.T) {
	const want = `{"totalTokens":5,"promptTokensDetails":[{"modality":"TEXT","tokenCount":5}]}`
	for _, body := range []string{geminiBody, `{"generateContentRequest":` + geminiBody + `}`} {
		if got := asked(t, "/v1beta/models/gemini-pro:countTokens", body); got != want {
			t.Errorf("count of %s = %s, want %s", body, got, want)
		}
	}
}

func TestGeminiStream(t *testing.T) {
	const (
		first = `{"candidates":[{"content":{"role":"model","parts":[{"text":"You"}]},"index":0}],` +
			`"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":1,"totalTokenCount":6,"promptTokensDetails":[{"modality":"TEXT","tokenCount":5}]},"modelVersion":"a/b","responseId":"resp-demo-1"}`
		last = `{"candidates":[{"content":{"role":"model","parts":[{"text":" said:"}]},"finishReason":"MAX_TOKENS","index":0}],` +
			`"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2,"totalTokenCount":7,"promptTokensDetails":[{"modality":"TEXT","tokenCount":5}]},"modelVersion":"a/b","responseId":"resp-demo-1"}`
		failed = `{"error":{"code":500,"message":"demo: an error in the stream was asked for","status":"INTERNAL"}}`
		sse    = "?alt=sse"
		list   = ""
	)
	tests := []struct {
		name, query string
		headers     []string
		want        string
	}{
		{"events", sse, nil, "data: " + first + "\n\ndata: " + last + "\n\n"},
		{"an error as the first event", sse, []string{"X-Demo-Error-Event: 0"}, "data: " + failed + "\n\n"},
		{"an error as a later event", sse, []string{"X-Demo-Error-Event: 1", "X-Demo-Code: UNAVAILABLE"}, "data: " + first + "\n\ndata: " + strings.Replace(failed, "INTERNAL", "UNAVAILABLE", 1) + "\n\n"},
		{"a list", list, nil, "[" + first + ",\r\n" + last + "]"},
		{"an error as the first item", list, []string{"X-Demo-Error-Event: 0"}, "[" + failed + "]"},
		{"an error as a later item", list, []string{"X-Demo-Error-Event: 1"}, "[" + first + ",\r\n" + failed + "]"},
		{"an error as the last item", list, []string{"X-Demo-Error-Event: 9"}, "[" + first + ",\r\n" + last + ",\r\n" + failed + "]"},
		{"an empty list", list, []string{"X-Demo-Empty: true"}, ""},
	}
	body := strings.Replace(geminiBody, "{", `{"generationConfig":{"maxOutputTokens":2},`, 1)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := asked(t, "/v1beta/models/a%2Fb:streamGenerateContent"+tt.query, body, tt.headers...)
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("stream (-got +want):\n%s", diff)
			}
			if tt.query == list && got != "" && !json.Valid([]byte(got)) {
				t.Errorf("no JSON: %s", got)
			}
		})
	}
}

func TestAGeminiStreamIsNotedAsOne(t *testing.T) {
	s, url := start(t, Options{})
	res := do(t, request(t, strings.TrimSuffix(url, "/v1")+"/v1/models/gemini-pro:streamGenerateContent", geminiBody))
	if _, err := read(t, res); err != nil || res.ContentLength >= 0 {
		t.Errorf("length = %d, %v, want none", res.ContentLength, err)
	}
	rec, err := s.Books().Await(patient(t), 1, func(r Record) bool { return r.State.Ended() })
	if err != nil || rec.Model != "gemini-pro" || !rec.Stream || rec.Events != 6 {
		t.Errorf("record = %q, stream %t, %d events, %v, want gemini-pro and 6", rec.Model, rec.Stream, rec.Events, err)
	}
}

func TestGeminiEmbeds(t *testing.T) {
	type embedding struct{ Values []float32 }
	var one struct {
		Embedding     embedding
		UsageMetadata embeddingUsage
	}
	var many struct {
		Embeddings    []embedding
		UsageMetadata embeddingUsage
	}
	const content = `"content":{"parts":[{"text":"hello world"}]}`
	get := func(verb, body string, into any) {
		if text := asked(t, "/v1beta/models/m:"+verb, body); json.Unmarshal([]byte(text), into) != nil {
			t.Errorf("%s: no JSON: %s", verb, text)
		}
	}
	get("embedContent", `{`+content+`}`, &one)
	get("batchEmbedContents", `{"requests":[{`+content+`},{`+content+`,"outputDimensionality":8}]}`, &many)
	if len(one.Embedding.Values) != geminiDimensions || one.UsageMetadata.PromptTokenCount != 2 {
		t.Errorf("%d dimensions of %d tokens, want %d of 2", len(one.Embedding.Values), one.UsageMetadata.PromptTokenCount, geminiDimensions)
	}
	if len(many.Embeddings) != 2 || len(many.Embeddings[1].Values) != 8 || many.UsageMetadata.PromptTokenCount != 4 {
		t.Fatalf("embeddings = %+v, want two, the second of 8 dimensions, of 4 tokens", many)
	}
	if diff := cmp.Diff(many.Embeddings[0], one.Embedding); diff != "" {
		t.Errorf("the same text has another vector (-got +want):\n%s", diff)
	}
}
