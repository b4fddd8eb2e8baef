package cache

import (
	"encoding/json"
	"net/http"

	"github.com/holysheep/relay/plugins"
)

// admin shows operators the state of the store. It changes nothing.
type admin struct {
	settings Settings
	store    *store
	metrics  *metrics
}

// state is what admin shows. The counts are those of the process.
type state struct {
	Entries  int          `json:"entries"`
	Bytes    uint64       `json:"bytes"`
	MaxBytes plugins.Size `json:"max_bytes"`
	TTL      string       `json:"ttl"`
	Hits     uint64       `json:"hits"`
	Misses   uint64       `json:"misses"`
	Bypasses uint64       `json:"bypasses"`
	Stored   uint64       `json:"stored"`
	Evicted  uint64       `json:"evicted"`
}

// ServeHTTP implements [http.Handler].
func (a *admin) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the cache can only be looked at", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// An error is the operator's connection breaking off.
	_ = json.NewEncoder(w).Encode(state{
		Entries:  a.store.entries(),
		Bytes:    a.store.bytes(),
		MaxBytes: a.settings.MaxBytes,
		TTL:      a.settings.TTL.String(),
		Hits:     count(a.metrics.hits),
		Misses:   count(a.metrics.misses),
		Bypasses: count(a.metrics.bypasses),
		Stored:   count(a.metrics.stored),
		Evicted:  count(a.metrics.evicted),
	})
}
