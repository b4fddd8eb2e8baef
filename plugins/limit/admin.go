package limit

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
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
	held := l.slots.held.Load()
	rules := map[string]view{replica: {Per: perGlobal, InFlight: l.replica.size.n, Counters: []counter{{InFlight: &held}}}}
	for _, r := range l.rules {
		v := view{Per: r.Per, Requests: r.Requests, InFlight: r.InFlight, Counters: []counter{}}
		if r.Requests > 0 {
			v.Period, v.Burst = r.own[kindRequests].period.String(), r.own[kindRequests].burst
		}
		clients := []string{query.Get("client")}
		if r.Per == perClient && !query.Has("client") {
			clients, v.More = l.clients(r)
		}
		for _, client := range clients {
			v.Counters = append(v.Counters, l.read(req, r, client))
		}
		rules[r.name] = v
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"rules": rules})
}

// read returns what client has used of r.
func (l *limiter) read(req *http.Request, r *rule, client string) (c counter) {
	if r.Per == perClient {
		c.Client = &client
	}
	claims, parts := l.claims(asker{client: client})
	if l.ledger.Read(req.Context(), claims) != nil {
		return c
	}
	for i, p := range parts {
		switch claim := &claims[i]; {
		case p.rule != r:
		case p.kind == kindFlight:
			c.InFlight = &claim.Used
		case p.kind == kindRequests:
			c.Remaining = new(p.size.left(p.kind, claim.Used))
			c.ResetMS = new(count(micros(claim.Reset), time.Millisecond))
		}
	}
	return c
}

// clients returns at most maxListed clients that have used something of r, in
// the order of their names, and whether there may be more.
func (l *limiter) clients(r *rule) (names []string, more bool) {
	found := map[string]bool{}
	for _, c := range r.counters {
		if c == nil || l.ledger.memory == nil {
			continue
		}
		for _, s := range l.ledger.memory.Subjects(c, maxListed) {
			if len(found) < maxListed {
				found[s.A] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), len(found) == maxListed
}
