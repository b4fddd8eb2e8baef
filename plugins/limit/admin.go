package limit

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/holysheep/relay/internal/gcra"
)

// maxListed bounds how many clients of a rule are listed, and with them how
// long requests wait for the list.
const maxListed = 1000

// view is a rule as operators see it.
type view struct {
	Per      string    `json:"per"`
	Requests int64     `json:"requests,omitempty"`
	Period   string    `json:"period,omitempty"`
	Burst    int64     `json:"burst,omitempty"`
	InFlight int64     `json:"in_flight,omitempty"`
	Counters []counter `json:"counters"`
	More     bool      `json:"more,omitempty"` // there may be counters beyond maxListed
}

// counter is what one client, or all, have used of a rule.
type counter struct {
	Client    *string `json:"client,omitempty"` // "" is whoever came without a name
	InFlight  *int64  `json:"in_flight,omitempty"`
	Remaining *int64  `json:"remaining,omitempty"`
	ResetMS   *int64  `json:"reset_ms,omitempty"` // milliseconds until the bucket is full
}

// admin answers GET with the live counters of every rule, or with those of one
// ?client=.
func (l *limiter) admin(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the counters can only be read", http.StatusMethodNotAllowed)
		return
	}
	query := req.URL.Query()
	rules := make(map[string]view, len(l.rules))
	for _, r := range l.rules {
		v := view{Per: r.Per, Requests: r.Requests, InFlight: r.InFlight}
		if r.buckets != nil {
			v.Period, v.Burst = r.period().String(), r.rate.Burst()
		}
		if r.Per == perClient && !query.Has("client") {
			v.Counters, v.More = l.store.list(r)
		} else {
			v.Counters = []counter{l.store.read(r, query.Get("client"))}
		}
		rules[r.name] = v
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"rules": rules})
}

// read returns what client has used of r.
func (s *store) read(r *rule, client string) counter {
	var c counter
	if r.Per == perClient {
		c.Client = &client
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.flights != nil {
		c.InFlight = new(r.flights.by[r.key(client)])
	}
	if r.buckets != nil {
		claim := []gcra.Claim{{Buckets: r.buckets, Key: r.key(client)}}
		s.rates.Peek(s.now(), claim)
		c.Remaining = new(claim[0].State.Remaining)
		c.ResetMS = new(count(claim[0].State.Reset, time.Millisecond))
	}
	return c
}

// list returns what clients have used of r, in the order of their names:
// those that have used nothing are left out.
func (s *store) list(r *rule) (counters []counter, more bool) {
	clients, more := s.clients(r)
	counters = make([]counter, 0, len(clients))
	for _, client := range slices.Sorted(maps.Keys(clients)) {
		counters = append(counters, s.read(r, client))
	}
	return counters, more
}

// clients returns at most maxListed clients that have used something of r, and
// whether there may be more.
func (s *store) clients(r *rule) (clients map[string]bool, more bool) {
	clients = map[string]bool{}
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	if r.buckets != nil {
		keys = s.rates.Keys(s.now(), r.buckets, maxListed)
	}
	if r.flights != nil {
		keys = slices.AppendSeq(keys, maps.Keys(r.flights.by))
	}
	for _, client := range keys {
		if len(clients) == maxListed {
			break
		}
		clients[client] = true
	}
	return clients, len(clients) == maxListed
}
