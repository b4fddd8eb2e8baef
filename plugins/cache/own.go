package cache

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/shelf"
	"github.com/holysheep/relay/plugins"
)

// ownPath is where clients purge answers of their own, by X-Cache-Key.
const ownPath = "/v1/cache/"

// own answers a client that purges an answer of its own: one that is kept for
// nobody but it. handled is false for any other request.
func (t *transport) own(req *http.Request, call *plugins.Call) (res *http.Response, handled bool, err error) {
	text, ok := strings.CutPrefix(req.URL.Path, ownPath)
	if !ok || req.Method != http.MethodDelete {
		return nil, false, nil
	}
	t.note(call, bypass)
	client, known := call.Client()
	name, ok := answer.ReadShort(tenantOf(tenantIn(scopeClient, client, known)), text)
	if !ok {
		return nil, true, ErrInvalidKey
	}
	ctx, cancel := context.WithTimeout(req.Context(), purging)
	defer cancel()
	n, err := t.shelf.Purge(ctx, shelf.What{Tenant: &name.Tenant, Model: &name.Model, ID: &name.ID})
	if err != nil {
		return nil, true, ErrNotPurged.Because(err)
	}
	body, err := json.Marshal(struct {
		Object  string `json:"object"`
		Key     string `json:"key"`
		Deleted bool   `json:"deleted"`
	}{"cache.deleted", text, n.Memory+n.Redis > 0})
	if err != nil {
		return nil, true, err
	}
	res = empty(req, "application/json", "")
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	res.Header["Content-Length"] = []string{strconv.Itoa(len(body))}
	return res, true, nil
}
