package auth

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// An admin lists clients and their keys for operators: names, and of keys the
// fingerprint.
type admin struct {
	ring *ring
	now  func() time.Time
}

// clientView is a client as the list shows it.
type clientView struct {
	Name     string    `json:"name"`
	Group    string    `json:"group,omitempty"`
	Models   []string  `json:"models,omitempty"`
	Disabled bool      `json:"disabled"`
	Keys     []keyView `json:"keys"`
}

// keyView is a key as the list shows it.
type keyView struct {
	Name        string     `json:"name"`
	Fingerprint string     `json:"fingerprint"`
	Expires     *time.Time `json:"expires,omitempty"`
	Expired     bool       `json:"expired"`
	Disabled    bool       `json:"disabled"`
	Models      []string   `json:"models,omitempty"`
}

// ServeHTTP implements [http.Handler].
func (a admin) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the list can only be read", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string][]clientView{"clients": a.list()})
}

// list returns the clients in the order of their names, and so their keys.
func (a admin) list() []clientView {
	keys := map[string][]keyView{}
	for _, e := range a.ring.keys {
		keys[e.client.Name] = append(keys[e.client.Name], a.view(e))
	}
	list := make([]clientView, 0, len(a.ring.clients))
	for name, c := range a.ring.clients {
		slices.SortFunc(keys[name], func(x, y keyView) int { return strings.Compare(x.Name, y.Name) })
		list = append(list, clientView{Name: name, Group: c.Group, Models: c.Models, Disabled: c.Disabled, Keys: keys[name]})
	}
	slices.SortFunc(list, func(x, y clientView) int { return strings.Compare(x.Name, y.Name) })
	return list
}

func (a admin) view(e *entry) keyView {
	k := a.ring.clients[e.client.Name].Keys[e.key]
	v := keyView{
		Name: e.key, Fingerprint: e.fingerprint(), Models: k.Models,
		Expired: e.expired(a.now()), Disabled: k.Disabled,
	}
	if !e.expires.IsZero() {
		v.Expires = &e.expires
	}
	return v
}
