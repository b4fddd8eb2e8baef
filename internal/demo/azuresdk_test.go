package demo

import (
	"errors"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"github.com/openai/openai-go/v3/option"
)

// azureClient returns the official SDK, as set up for Azure, in front of a demo
// upstream that wants a key.
func azureClient(t *testing.T, more ...option.RequestOption) (*Server, openai.Client) {
	t.Helper()
	s, url := start(t, Options{Key: "k"})
	return s, openai.NewClient(append([]option.RequestOption{
		azure.WithEndpoint(url[:len(url)-len("/v1")], "2024-10-21"), azure.WithAPIKey("k"), azure.WithUnsafeAllowHTTP(),
		option.WithMaxRetries(0),
	}, more...)...)
}

func TestAzureSDK(t *testing.T) {
	s, c := azureClient(t)
	p := params("hello big world")
	p.Model = "my/deployment"
	res, err := c.Chat.Completions.New(patient(t), p)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Choices[0].Message.Content; got != "You said: hello big world" || res.Model != "my/deployment" {
		t.Errorf("content = %q of %q", got, res.Model)
	}
	stream := c.Chat.Completions.NewStreaming(patient(t), p)
	var acc openai.ChatCompletionAccumulator
	for stream.Next() {
		acc.AddChunk(stream.Current())
	}
	if err := stream.Err(); err != nil || acc.Choices[0].Message.Content != "You said: hello big world" {
		t.Errorf("streamed = %+v, %v", acc.Choices, err)
	}
	vectors, err := c.Embeddings.New(patient(t), openai.EmbeddingNewParams{
		Model: "vectors", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("a b")},
	})
	if err != nil || vectors.Model != "vectors" || vectors.Usage.PromptTokens != 2 {
		t.Errorf("embeddings = %+v, %v", vectors, err)
	}
	rec, _ := s.Books().Record(1)
	if rec.KeyBy != "api-key" || rec.Model != "my/deployment" || rec.RequestURI != "/openai/deployments/my%2Fdeployment/chat/completions?api-version=2024-10-21" {
		t.Errorf("record: key by %q, model %q, %s", rec.KeyBy, rec.Model, rec.RequestURI)
	}
}

func TestAzureSDKErrors(t *testing.T) {
	tests := []struct {
		name       string
		option     option.RequestOption
		wantStatus int
		wantCode   string
	}{
		{"a wrong key", azure.WithAPIKey("wrong"), 401, "401"},
		{"too many requests", option.WithHeader("X-Demo-Status", "429"), 429, "429"},
		{"no such deployment", option.WithQuery("api-version", ""), 404, "404"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, c := azureClient(t, tt.option)
			_, err := c.Chat.Completions.New(patient(t), params("hello"))
			var e *openai.Error
			if !errors.As(err, &e) || e.StatusCode != tt.wantStatus || e.Code != tt.wantCode {
				t.Errorf("error = %v, want %d %q", err, tt.wantStatus, tt.wantCode)
			}
		})
	}
}
