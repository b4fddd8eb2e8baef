package server

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"github.com/openai/openai-go/v3/option"
)

const azureUpstream = `
upstreams: {azure: {base_url: UPSTREAM, api_key_env: UPSTREAM_KEY, wires: [azure], auth: api-key}}
`

// newAzure starts a relay and the official client of it, as set up for Azure.
func newAzure(t testing.TB, config string, more ...option.RequestOption) *sdk {
	t.Helper()
	s := newNative(t, config, "/openai")
	// The SDK copies the transport, so that nobody else could close what it keeps.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	s.Client = openai.NewClient(append([]option.RequestOption{
		azure.WithEndpoint(s.URL, "2024-10-21"), azure.WithAPIKey(clientKey), azure.WithUnsafeAllowHTTP(),
		option.WithHTTPClient(client), option.WithMiddleware(s.sent.record),
	}, more...)...)
	return s
}

func TestAzureSDK(t *testing.T) {
	s := newAzure(t, whole+azureUpstream)
	answer, err := s.Chat.Completions.New(t.Context(), question("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.Choices[0].Message.Content; got != "You said: hello" || answer.Model != "gpt-4.1" {
		t.Errorf("content = %q of %q", got, answer.Model)
	}
	ask := question("a story in a few words")
	ask.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := s.Chat.Completions.NewStreaming(t.Context(), ask)
	var whole openai.ChatCompletionAccumulator
	for stream.Next() {
		whole.AddChunk(stream.Current())
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if got := whole.Choices[0].Message.Content; got != "You said: a story in a few words" || whole.Usage.CompletionTokens != 8 {
		t.Errorf("streamed %q of %d tokens", got, whole.Usage.CompletionTokens)
	}
	for _, rec := range s.Demo.Books().Records() {
		if rec.KeyBy != "api-key" || rec.RequestURI != "/openai/deployments/gpt-4.1/chat/completions?api-version=2024-10-21" {
			t.Errorf("request %d: key by %q, %s", rec.ID, rec.KeyBy, rec.RequestURI)
		}
	}
	s.unchanged(t)
}

func TestAzureSDKEmbeddings(t *testing.T) {
	s := newAzure(t, whole+azureUpstream)
	list, err := s.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
		Model: "vectors", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("a b")},
	})
	if err != nil || list.Model != "vectors" || list.Usage.PromptTokens != 2 {
		t.Errorf("embeddings = %+v, %v", list, err)
	}
	s.unchanged(t)
}

func TestAzureSDKErrors(t *testing.T) {
	const restricted = `
chain: [auth, limit, cache, retry]
plugins:
  auth: {clients: {tester: {models: ["small-*"], keys: {one: {sha256: HASH}}}}}
` + azureUpstream
	tests := []struct {
		name   string
		config string
		option option.RequestOption
		plan   http.Header
		want   typed
	}{
		{"a wrong key", whole + azureUpstream, azure.WithAPIKey("sk-hs-wrong"), nil, typed{401, "invalid_request_error", "invalid_api_key", "the API key is not one of this relay's"}},
		{"a deployment that the key may not use", restricted, option.WithMaxRetries(0), nil, typed{403, "invalid_request_error", "model_not_allowed", `the API key may not use the model "gpt-4.1"`}},
		{"a fault that the upstream tells", whole + azureUpstream, option.WithMaxRetries(0), http.Header{"X-Demo-Status": {"404"}, "X-Demo-Code": {"DeploymentNotFound"}}, typed{404, "", "DeploymentNotFound", "demo: an error was asked for"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newAzure(t, tt.config, option.WithMaxRetries(0))
			s.plan(tt.plan)
			_, err := s.Chat.Completions.New(t.Context(), question("hello"), tt.option)
			if diff := cmp.Diff(typedError(t, err), tt.want); diff != "" {
				t.Errorf("error (-got +want):\n%s", diff)
			}
		})
	}
}
