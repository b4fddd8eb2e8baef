package plugins

import (
	"net/http"
	"strings"
)

// comparePath takes the model from the URL's path if the body names none, and
// puts it in doubt if the body names another: some upstreams believe the path.
func (a *asker) comparePath(method, path string) {
	model := pathModel(method, path)
	switch {
	case model == "" || model == a.Model:
	case a.Model == "":
		a.Model = model
	default:
		a.doubt(FieldModel, "the URL's path names another model")
	}
}

// pathModel returns the model that a path asks, "" if it names none:
// /v1/models/MODEL:verb as Gemini's API has it, and …/engines/MODEL/… and
// …/deployments/MODEL/… as OpenAI's first and Azure's have it. Who only reads or
// deletes asks no model.
func pathModel(method, path string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
		return ""
	}
	for _, place := range [...]string{"/engines/", "/deployments/"} {
		if _, rest, found := strings.Cut(path, place); found {
			model, _, _ := strings.Cut(rest, "/")
			return model
		}
	}
	_, rest, _ := strings.Cut(path, "/models/")
	if verb := strings.LastIndexByte(rest, ':'); verb >= 0 {
		return rest[:verb]
	}
	return rest
}
