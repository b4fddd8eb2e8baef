package demo

import (
	"net/http"
	"slices"
	"strings"
)

// geminiDimensions is how long a vector of Gemini's is that was not asked to be
// shorter, as of text-embedding-004.
const geminiDimensions = 768

type contentEmbedding struct {
	Values []float32 `json:"values"`
}

type embeddingUsage struct {
	PromptTokenCount int `json:"promptTokenCount"`
}

// embedContent answers POST /v1beta/models/MODEL:embedContent.
func embedContent(x *exchange) answer {
	if refusal, bad := x.badEmbedding(&x.gemini); bad {
		return refusal
	}
	return whole(http.StatusOK, struct {
		Embedding     contentEmbedding `json:"embedding"`
		UsageMetadata embeddingUsage   `json:"usageMetadata"`
	}{x.gemini.embed(), embeddingUsage{count(x.gemini.Content.text())}})
}

// embedContents answers POST /v1beta/models/MODEL:batchEmbedContents.
func embedContents(x *exchange) answer {
	var list struct {
		Embeddings    []contentEmbedding `json:"embeddings"`
		UsageMetadata embeddingUsage     `json:"usageMetadata"`
	}
	for i := range x.gemini.Requests {
		ask := &x.gemini.Requests[i]
		if refusal, bad := x.badEmbedding(ask); bad {
			return refusal
		}
		list.Embeddings = append(list.Embeddings, ask.embed())
		list.UsageMetadata.PromptTokenCount += count(ask.Content.text())
	}
	return whole(http.StatusOK, list)
}

// embed returns the vector of what a is to embed.
func (a *geminiAsk) embed() contentEmbedding {
	size := a.OutputDimensionality
	if size == 0 {
		size = geminiDimensions
	}
	return contentEmbedding{vector(a.Content.text(), size)}
}

// badEmbedding returns the refusal of a request that cannot be embedded.
func (x *exchange) badEmbedding(a *geminiAsk) (answer, bool) {
	switch {
	case len(a.Content.Parts) == 0:
		return x.refuse(http.StatusBadRequest, "", "* EmbedContentRequest.content: content is empty"), true
	case a.OutputDimensionality < 0 || a.OutputDimensionality > 2*dimensions:
		return x.refuse(http.StatusBadRequest, "", "* EmbedContentRequest.output_dimensionality: not from 1 to 3072"), true
	}
	return answer{}, false
}

// geminiInfo is a model in Google's form.
type geminiInfo struct {
	Name        string   `json:"name"`
	Version     string   `json:"version"`
	DisplayName string   `json:"displayName"`
	Methods     []string `json:"supportedGenerationMethods"`
}

func newGeminiInfo(id string) geminiInfo {
	return geminiInfo{"models/" + id, "001", id, []string{"generateContent", "countTokens", "embedContent"}}
}

// geminiModels answers GET /v1beta/models.
func geminiModels(x *exchange) answer {
	var list struct {
		Models []geminiInfo `json:"models"`
	}
	for _, id := range x.server.options.Models {
		list.Models = append(list.Models, newGeminiInfo(id))
	}
	return whole(http.StatusOK, list)
}

// geminiModel answers GET /v1beta/models/{id}.
func geminiModel(x *exchange) answer {
	id := strings.TrimPrefix(x.r.URL.Path, "/v1beta/models/")
	if !slices.Contains(x.server.options.Models, id) {
		return x.refuse(http.StatusNotFound, "", "models/"+id+" is not found for API version v1beta.")
	}
	return whole(http.StatusOK, newGeminiInfo(id))
}
