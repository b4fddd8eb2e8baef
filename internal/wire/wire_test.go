package wire

import (
	"slices"
	"testing"
)

func TestRoutes(t *testing.T) {
	tests := []struct {
		path string
		want Route
	}{
		{"/v1/chat/completions", Route{OpenAI, Chat, "/v1", "/v1/chat/completions"}},
		{"/v1/completions", Route{OpenAI, Completions, "/v1", "/v1/completions"}},
		{"/v1/responses", Route{OpenAI, Responses, "/v1", "/v1/responses"}},
		{"/v1/responses/resp_1", Route{OpenAI, Other, "/v1", "/v1/responses"}},
		{"/v1/embeddings", Route{OpenAI, Embeddings, "/v1", "/v1/embeddings"}},
		{"/v1/moderations", Route{OpenAI, Moderations, "/v1", "/v1/moderations"}},
		{"/v1/rerank", Route{OpenAI, Rerank, "/v1", "/v1/rerank"}},
		{"/v1/realtime", Route{OpenAI, Realtime, "/v1", "/v1/realtime"}},
		{"/v1/models", Route{OpenAI, Models, "/v1", "/v1/models"}},
		{"/v1/models/gpt-4.1", Route{OpenAI, Models, "/v1", "/v1/models"}},
		{"/v1/models/ft:gpt-4.1", Route{OpenAI, Models, "/v1", "/v1/models"}},
		{"/v1/models/ft:gpt-4o:org::id", Route{OpenAI, Models, "/v1", "/v1/models"}},
		{"/v1/models/ft:gpt-4o:org::", Route{OpenAI, Models, "/v1", "/v1/models"}},
		{"/v1/models/imagen-4:predict", Route{Gemini, Other, "/v1", "/v1/*"}},
		{"/v1/models/veo-3:predictLongRunning", Route{Gemini, Other, "/v1", "/v1/*"}},
		{"/v1/models/m:countTokens", Route{Gemini, Other, "/v1", "/v1/models/:countTokens"}},
		{"/v1/models/m:embedContent", Route{Gemini, Embed, "/v1", "/v1/models/:embedContent"}},
		{"/v1/models/m:batchEmbedContents", Route{Gemini, Embed, "/v1", "/v1/models/:embedContent"}},
		{"/v1/models/m:streamGenerateContent", Route{Gemini, Generate, "/v1", "/v1/models/:generateContent"}},
		{"/v1/audio/speech", Route{OpenAI, Other, "/v1", "/v1/audio/speech"}},
		{"/v1/files/file-1/content", Route{OpenAI, Other, "/v1", "/v1/files"}},
		{"/v1/images/edits", Route{OpenAI, Other, "/v1", "/v1/images/edits"}},
		{"/v1/images/other", Route{OpenAI, Other, "/v1", "/v1/*"}},
		{"/v1/filesystem", Route{OpenAI, Other, "/v1", "/v1/*"}},
		{"/v1/", Route{OpenAI, Other, "/v1", "/v1/*"}},
		{"/v1/secret-key", Route{OpenAI, Other, "/v1", "/v1/*"}},
		{"/v1/chat%2Fcompletions", Route{OpenAI, Other, "/v1", "/v1/*"}},
		{"/v1/messages", Route{Anthropic, Messages, "/v1", "/v1/messages"}},
		{"/v1/messages/count_tokens", Route{Anthropic, CountTokens, "/v1", "/v1/messages"}},
		{"/v1/messages/batches", Route{Anthropic, Other, "/v1", "/v1/messages"}},
		{"/v1/models/gemini-2.5-pro:generateContent", Route{Gemini, Generate, "/v1", "/v1/models/:generateContent"}},
		{"/v1beta/models/gemini-2.5-pro:streamGenerateContent", Route{Gemini, Generate, "/v1beta", "/v1beta/models/:generateContent"}},
		{"/v1beta/models/a%3Ab:embedContent", Route{Gemini, Embed, "/v1beta", "/v1beta/models/:embedContent"}},
		{"/v1beta/models/m:batchEmbedContents", Route{Gemini, Embed, "/v1beta", "/v1beta/models/:embedContent"}},
		{"/v1beta/models/m:countTokens", Route{Gemini, Other, "/v1beta", "/v1beta/models/:countTokens"}},
		{"/v1beta/models/m:a:generateContent", Route{Gemini, Generate, "/v1beta", "/v1beta/models/:generateContent"}},
		{"/v1beta/models/m:generateContent/x", Route{Gemini, Other, "/v1beta", "/v1beta/*"}},
		{"/v1beta/models", Route{Gemini, Other, "/v1beta", "/v1beta/*"}},
		{"/openai/deployments/my-gpt/chat/completions", Route{Azure, Chat, "/openai", "/openai/deployments/*"}},
		{"/openai/deployments/a%2Fb/embeddings", Route{Azure, Embeddings, "/openai", "/openai/deployments/*"}},
		{"/openai/deployments/models", Route{Azure, Other, "/openai", "/openai/deployments/*"}},
		{"/openai/v1/responses", Route{Azure, Responses, "/openai", "/openai/*"}},
		{"/openai/models", Route{Azure, Other, "/openai", "/openai/*"}},
	}
	for _, tt := range tests {
		if got, relayed := Of(tt.path); got != tt.want || !relayed {
			t.Errorf("%s: %+v, %t, want %+v", tt.path, got, relayed, tt.want)
		}
	}
}

func TestOtherPathsAreNotRelayed(t *testing.T) {
	for _, path := range []string{"", "/", "/v1", "/v1beta", "/v2/models", "/health", "/openai", "/V1/models", "//v1/models", "/%761/models"} {
		if got, relayed := Of(path); relayed || got != (Route{}) {
			t.Errorf("%s is relayed as %+v", path, got)
		}
	}
}

func TestLabelsAreInOrder(t *testing.T) {
	if !slices.IsSorted(labels) {
		t.Error("labels are searched by halves: sort them")
	}
}

func TestWhatIsInspected(t *testing.T) {
	for _, path := range []string{"/v1/files", "/v1/realtime", "/v1/models", "/v1/messages/batches", "/v1beta/models"} {
		if r, _ := Of(path); r.Inspected() {
			t.Errorf("%s is inspected", path)
		}
	}
	for _, path := range []string{"/v1/chat/completions", "/v1/messages/count_tokens", "/v1beta/models/m:embedContent"} {
		if r, _ := Of(path); !r.Inspected() {
			t.Errorf("%s is not inspected", path)
		}
	}
}

// FuzzOf holds that labels come from a closed set, whatever a stranger asks for.
func FuzzOf(f *testing.F) {
	for _, path := range []string{"/v1/files/x", "/v1beta/models/m:generateContent", "/openai/deployments/x/chat/completions", "/v1/messages/x"} {
		f.Add(path)
	}
	closed := append(slices.Clone(labels), "/v1/*", "/v1/messages", "/openai/*", "/openai/deployments/*")
	for _, prefix := range []string{"/v1", "/v1beta"} {
		closed = append(closed, prefix+"/*", prefix+"/models/:generateContent", prefix+"/models/:embedContent", prefix+"/models/:countTokens")
	}
	f.Fuzz(func(t *testing.T, path string) {
		r, relayed := Of(path)
		if relayed != slices.Contains(closed, r.Label) {
			t.Errorf("label of %q = %q", path, r.Label)
		}
		if relayed && path[:len(r.Prefix)] != r.Prefix {
			t.Errorf("prefix of %q = %q", path, r.Prefix)
		}
	})
}
