package demo

import (
	"net/http"
	"slices"
	"strings"
)

// The list of models where [Options] have none. Endpoints answer for any other
// model as well.
const known = "demo gpt-4.1 gpt-4o gpt-4o-mini gpt-image-1 omni-moderation-latest text-embedding-3-small tts-1 whisper-1"

type modelInfo struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func info(id string) modelInfo {
	return modelInfo{ID: id, Object: "model", Created: 1_700_000_000, OwnedBy: "demo"}
}

// models answers GET /v1/models.
func models(x *exchange) answer {
	if x.dialect == likeAnthropic {
		return whole(http.StatusOK, newAnthropicList(x.server.options.Models))
	}
	var list struct {
		Object string      `json:"object"`
		Data   []modelInfo `json:"data"`
	}
	list.Object = "list"
	for _, id := range x.server.options.Models {
		list.Data = append(list.Data, info(id))
	}
	return whole(http.StatusOK, list)
}

// model answers GET /v1/models/{id}.
func model(x *exchange) answer {
	_, id, _ := strings.Cut(x.r.URL.Path, "/models/")
	switch {
	case !slices.Contains(x.server.options.Models, id):
		return x.refuse(http.StatusNotFound, "model_not_found", "The model '"+id+"' does not exist.")
	case x.dialect == likeAnthropic:
		return whole(http.StatusOK, newAnthropicModel(id))
	}
	return whole(http.StatusOK, info(id))
}
