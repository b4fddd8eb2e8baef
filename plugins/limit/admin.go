package limit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// view is a rule as operators see it.
type view struct {
	Per          string      `json:"per"`
	Header       string      `json:"header,omitempty"`
	Models       []string    `json:"models,omitempty"`
	Shadow       bool        `json:"shadow,omitempty"`
	Requests     int64       `json:"requests,omitempty"`
	Period       string      `json:"period,omitempty"`
	Burst        int64       `json:"burst,omitempty"`
	Tokens       *viewTokens `json:"tokens,omitempty"`
	InputTokens  *viewTokens `json:"input_tokens,omitempty"`
	OutputTokens *viewTokens `json:"output_tokens,omitempty"`
	InFlight     int64       `json:"in_flight,omitempty"`
	Queue        *viewQueue  `json:"queue,omitempty"`
	Budget       *viewBudget `json:"budget,omitempty"`
	Counters     []counter   `json:"counters"`
	More         bool        `json:"more,omitempty"` // there may be counters that are not listed
}

// viewTokens is a limit of tokens.
type viewTokens struct {
	Limit  int64  `json:"limit"`
	Period string `json:"period"`
	Burst  int64  `json:"burst"`
}

// viewBudget is a limit of money.
type viewBudget struct {
	USD json.Number `json:"usd"`
	Per string      `json:"per"` // day, month, or the length of the window
}

// viewQueue is a queue and who waits in it, in this replica.
type viewQueue struct {
	Size     int    `json:"size"`
	MaxWait  string `json:"max_wait"`
	Waiting  int    `json:"waiting"`
	OldestMS int64  `json:"oldest_ms"` // how long the one waits who has waited longest
}

// admin answers GET with the live counters of every rule, or with those of one
// ?client=, and DELETE by resetting some.
func (l *limiter) admin(w http.ResponseWriter, req *http.Request) {
	query := req.URL.Query()
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		if err := checkQuery(query, whoseKeys()); err != nil {
			reply(w, http.StatusBadRequest, failure("invalid_request", err.Error()))
			return
		}
		rules, err := l.show(req.Context(), query)
		if err != nil {
			reply(w, http.StatusServiceUnavailable, failure(unavailable.String(), "the counters cannot be read at the moment: "+err.Error()))
			return
		}
		answer := map[string]any{"rules": rules}
		if name := query.Get("client"); l.stranger(name) {
			answer["note"] = fmt.Sprintf("no client is named %q in the configuration", name)
		}
		reply(w, http.StatusOK, answer)
	case http.MethodDelete:
		status, answer := l.reset(req.Context(), query)
		reply(w, status, answer)
	default:
		w.Header().Set("Allow", "GET, HEAD, DELETE")
		reply(w, http.StatusMethodNotAllowed, failure("invalid_request", "the counters can be read by GET and reset by DELETE"))
	}
}

// reply writes an answer to an operator.
func reply(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(answer) // an operator that left needs no answer
}

// failure is an error in OpenAI's form, as the server's own are.
func failure(code, message string) any {
	type body struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	}
	kind := invalidRequest
	if code == unavailable.String() {
		kind = "server_error"
	}
	return map[string]body{"error": {Message: message, Type: kind, Code: code}}
}

// view returns the rule without its counters.
func (r *rule) view() view {
	v := view{
		Per: r.Per, Header: r.Header, Models: r.Models, Shadow: r.Shadow,
		Requests: r.Requests, InFlight: r.InFlight, Counters: []counter{},
		Tokens: r.own[kindTokens].view(), InputTokens: r.own[kindInput].view(), OutputTokens: r.own[kindOutput].view(),
	}
	if own := &r.own[kindRequests]; own.n > 0 {
		v.Period, v.Burst = own.period.String(), own.burst
	}
	if own := &r.own[kindBudget]; own.n > 0 {
		v.Budget = &viewBudget{USD: json.Number(dollars(own.n)), Per: r.window()}
	}
	if r.queue != nil {
		v.Queue = &viewQueue{
			Size: r.Queue.Size, MaxWait: r.Queue.MaxWait.String(), Waiting: r.queue.Len(),
			OldestMS: r.queue.Oldest().Milliseconds(),
		}
	}
	return v
}

// view returns a limit of tokens, nil if there is none.
func (s *size) view() *viewTokens {
	if s.n == 0 {
		return nil
	}
	return &viewTokens{Limit: s.n, Period: s.period.String(), Burst: s.burst}
}

// milliseconds returns microseconds of the ledger, rounded up.
func milliseconds(n int64) int64 { return count(micros(n), time.Millisecond) }
