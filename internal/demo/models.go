package demo

import (
	"net/http"
	"slices"
	"strings"
)

// The list of models. Endpoints answer for any other model as well.
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
func models(*exchange) answer {
	var list struct {
		Object string      `json:"object"`
		Data   []modelInfo `json:"data"`
	}
	list.Object = "list"
	for id := range strings.FieldsSeq(known) {
		list.Data = append(list.Data, info(id))
	}
	return whole(http.StatusOK, list)
}

// model answers GET /v1/models/{id}.
func model(x *exchange) answer {
	id := strings.TrimPrefix(x.r.URL.Path, "/v1/models/")
	if !slices.Contains(strings.Fields(known), id) {
		return refuse(http.StatusNotFound, "model_not_found", "The model '"+id+"' does not exist.")
	}
	return whole(http.StatusOK, info(id))
}
