package cache

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// Why a request is passed on without a look at the store.
const (
	whyOff      = "off"      // ttl is 0
	whyMethod   = "method"   // it is no POST
	whyEndpoint = "endpoint" // no rule is about its path and its model
	whyHeader   = "header"   // a header of it forbids to
	whyBody     = "body"     // its body is too long, gone, or not JSON that is certain
	whySampled  = "sampled"  // its answer is drawn at random
	whyEffect   = "effect"   // it asks for more than an answer
	whyTools    = "tools"    // it lets the upstream run tools
)

// rules say which requests may be answered from the store.
type rules struct {
	list    []rule // in the order in which they are tried
	off     bool   // none of them stores anything
	maxBody int64
	version string   // part of the key
	headers []string // of the key, in canonical spelling, sorted, each once
}

func newRules(s Settings) rules {
	r := rules{list: s.all(), maxBody: int64(s.MaxBody), version: s.Version, headers: keyHeaders(s.Headers)}
	r.off = !slices.ContainsFunc(r.list, func(r rule) bool { return r.ttl > 0 })
	return r
}

// A question is a request that may be answered from the store.
type question struct {
	*rule
	tenant tenant
	place  answer.Place // where the answer to it is
	form   answer.Form  // in which it is asked for
	route  wire.Route
	body   []byte // of the request
	chat   bool   // it is a chat completion that is the same question in each of its forms

	anew   bool          // the client wants a new answer
	stored bool          // the client wants a stored answer or none
	maxAge time.Duration // the oldest answer that the client takes
}

// question reads req as one that may be answered from the store, or says why
// it may not: the question has no key then. It leaves req as it is.
func (r *rules) question(req *http.Request, call *plugins.Call) (q question, why string) {
	wants := readDirectives(req.Header)
	q = question{anew: wants.noCache, stored: wants.onlyIfCached, maxAge: wants.maxAge}
	if why := r.head(req); why != "" {
		return q, why
	}
	ask := call.Ask()
	client, known := call.Client()
	if q.rule = r.of(req, ask.Model, client, known); q.rule == nil {
		return q, whyEndpoint
	}
	switch {
	case q.ttl == 0:
		return q, whyOff
	case wants.noStore:
		return q, whyHeader
	case ask.Doubt(plugins.FieldModel|plugins.FieldStream|plugins.FieldMaxTokens) != nil:
		return q, whyBody
	}
	if q.body = r.read(req); q.body == nil {
		return q, whyBody
	}
	if why := q.judge(req.URL.Path, q.body); why != "" {
		return q, why
	}
	q.route, _ = wire.OfURL(req.URL)
	q.tenant = tenantIn(q.scope, client, known)
	if !q.formOf(ask) || r.identify(&q, req) != nil {
		return q, whyBody
	}
	q.place.Name = answer.Name{Tenant: tenantOf(q.tenant), Model: modelOf(ask.Model)}
	copy(q.place.Name.ID[:], q.place.Key[:])
	return q, ""
}

// identify gives q its key.
func (r *rules) identify(q *question, req *http.Request) (err error) {
	q.place.Key, err = r.keyOf(q, req, q.body)
	return err
}

// of returns the rule that is about a request, nil if none is.
func (r *rules) of(req *http.Request, model string, c plugins.Client, known bool) *rule {
	for i := range r.list {
		if one := &r.list[i]; one.covers(req.URL) && one.about(model, c, known) {
			return one
		}
	}
	return nil
}

// head says why a request is not considered, as far as its line and its header
// tell.
func (r *rules) head(req *http.Request) string {
	switch {
	case r.off:
		return whyOff
	case req.Method != http.MethodPost || plugins.Upgrades(req):
		return whyMethod
	case !slices.ContainsFunc(r.list, func(r rule) bool { return r.covers(req.URL) }):
		return whyEndpoint
	case len(req.Header["Idempotency-Key"]) > 0:
		return whyHeader // its author wants this very call, once
	case !plain(req.Header) || len(req.Trailer) > 0:
		return whyBody
	}
	return ""
}

// read returns the request's body, or nil if it cannot be read again or is too
// long.
func (r *rules) read(req *http.Request) []byte {
	if req.GetBody == nil || req.ContentLength > r.maxBody {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	defer func() { _ = body.Close() }()
	var text bytes.Buffer
	// The Ask is certain, so that as much as is announced has come.
	text.Grow(int(max(0, req.ContentLength)) + bytes.MinRead)
	if _, err := text.ReadFrom(io.LimitReader(body, r.maxBody+1)); err != nil || int64(text.Len()) > r.maxBody {
		return nil
	}
	return text.Bytes()
}
