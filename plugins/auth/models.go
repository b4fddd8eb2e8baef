package auth

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/holysheep/relay/plugins"
)

// allows reports why the request may not be asked with this key, nil if it
// may. Only a key that is restricted has the body read.
func (e *entry) allows(req *http.Request, call *plugins.Call) error {
	if len(e.client.Models) == 0 {
		return nil
	}
	ask := call.Ask()
	if err := ask.Doubt(plugins.FieldModel); err != nil {
		return err
	}
	switch {
	case plugins.Upgrades(req) && req.URL.Path != "/v1/realtime":
		// There the query names the model, once and for all. Elsewhere, as under
		// /v1/responses, each message does, which nobody here reads.
		return ErrModelNotAllowed.Saying("the API key is for certain models only: it can open a WebSocket at /v1/realtime alone")
	case ask.Model == "" && reads(req):
		return nil
	case ask.Model == "":
		return ErrModelNotAllowed.Saying("the API key is for certain models only: the request must name one")
	case !slices.ContainsFunc(e.client.Models, func(glob string) bool { return plugins.MatchModel(glob, ask.Model) }):
		// A stranger's model may be of any length.
		return ErrModelNotAllowed.Saying(fmt.Sprintf("the API key may not use the model %.100q", ask.Model))
	}
	return nil
}

// reads reports whether the request uses no model: it lists, fetches or
// deletes.
func reads(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
		return !plugins.Upgrades(req)
	}
	return false
}
