package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/holysheep/relay/internal/shelf"
	"github.com/holysheep/relay/plugins"
)

// purging bounds how long a purge may take: Redis is gone through by SCAN.
const purging = 30 * time.Second

// admin shows operators the state of the store, and purges it.
type admin struct{ *link }

// state is what admin shows. The counts are those of the process.
type stateOf struct {
	Entries   int          `json:"entries"`
	Bytes     uint64       `json:"bytes"`
	MaxBytes  plugins.Size `json:"max_bytes"`
	Recording int64        `json:"recording_bytes"`
	Redis     string       `json:"redis"` // none, up or down
	TTL       string       `json:"ttl"`
	Hits      uint64       `json:"hits"`
	Misses    uint64       `json:"misses"`
	Coalesced uint64       `json:"coalesced"`
	Stale     uint64       `json:"stale"`
	Bypasses  uint64       `json:"bypasses"`
	Stored    uint64       `json:"stored"`
	Evicted   uint64       `json:"evicted"`
}

// ServeHTTP implements [http.Handler].
func (a *admin) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		reply(w, http.StatusOK, a.state())
	case http.MethodDelete:
		a.purge(w, req)
	default:
		w.Header().Set("Allow", "GET, HEAD, DELETE")
		http.Error(w, "the cache can be looked at by GET and purged by DELETE", http.StatusMethodNotAllowed)
	}
}

func (a *admin) state() stateOf {
	m := a.metrics
	s := stateOf{
		Entries: a.shelf.Entries(), Bytes: a.shelf.Bytes(), MaxBytes: a.settings.MaxBytes, Recording: a.room.Used(),
		Redis: "none", TTL: a.settings.TTL.String(),
		Hits: count(m.results[hit]), Misses: count(m.results[miss]), Coalesced: count(m.results[coalesced]),
		Stale: count(m.results[stale]), Bypasses: count(m.results[bypass]), Stored: count(m.stored), Evicted: count(m.evicted),
	}
	switch {
	case a.shelf.Up():
		s.Redis = "up"
	case a.shelf.Shares():
		s.Redis = "down"
	}
	return s
}

// purge removes the answers that the query names.
func (a *admin) purge(w http.ResponseWriter, req *http.Request) {
	what, err := whatOf(req.URL.RawQuery)
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), purging)
	defer cancel()
	a.semantic.forget(what.Fits)
	n, err := a.shelf.Purge(ctx, what)
	answer := map[string]any{"removed": map[string]int{"memory": n.Memory, "redis": n.Redis}}
	if err != nil {
		answer["error"] = err.Error()
		reply(w, http.StatusServiceUnavailable, answer)
		return
	}
	a.log.Info("the cache was purged", "query", req.URL.RawQuery, "memory", n.Memory, "redis", n.Redis)
	reply(w, http.StatusOK, answer)
}

// whatOf reads which answers a query names: those of client, of group or of
// scope, or all, and of model.
func whatOf(rawQuery string) (w shelf.What, err error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return w, errors.New("the query cannot be read: " + err.Error())
	}
	who := 0
	for name, values := range query {
		if len(values) != 1 || values[0] == "" {
			return w, fmt.Errorf("%s: name one", name)
		}
		var t tenant
		switch value := values[0]; name {
		case "client", "group":
			t = tenant{name, value}
		case "scope":
			if value != scopeShared && value != anonymous {
				return w, fmt.Errorf("scope: %q is not one of shared, anonymous; name a client or a group by client= or group=", value)
			}
			t = tenant{kind: value}
		case "model":
			id := modelOf(value)
			w.Model = &id
			continue
		case "all":
			if value != "true" {
				return w, fmt.Errorf("all: %q is not true", value)
			}
			who++
			continue
		default:
			return w, fmt.Errorf("%s: there is no such parameter: use client, group, scope, model or all", name)
		}
		id := tenantOf(t)
		w.Tenant = &id
		who++
	}
	if who > 1 {
		return w, errors.New("name one of client, group, scope and all")
	}
	if who == 0 && w.Model == nil {
		return w, errors.New("say which answers to remove: ?client=NAME, ?group=NAME, ?scope=shared, ?model=NAME, or ?all=true")
	}
	return w, nil
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error is the operator's connection breaking off.
	_ = json.NewEncoder(w).Encode(v)
}
