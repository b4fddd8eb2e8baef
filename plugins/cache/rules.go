package cache

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"time"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/canon"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// Why a request is passed on without a look at the store.
const (
	whyOff      = "off"      // ttl is 0
	whyMethod   = "method"   // it is no POST
	whyEndpoint = "endpoint" // its path is not among the endpoints
	whyHeader   = "header"   // a header of it forbids to
	whyBody     = "body"     // its body is too long, gone, or not JSON that is certain
	whyStream   = "stream"   // it asks for a stream
	whySampled  = "sampled"  // its answer is drawn at random
	whyEffect   = "effect"   // it asks for more than an answer
	whyTools    = "tools"    // it lets the upstream run tools
)

// rules say which requests may be answered from the store.
type rules struct {
	own       rule
	off       bool
	sampled   bool
	maxBody   int64
	version   string // part of the key
	endpoints []string
	headers   []string // of the key, in canonical spelling, sorted, each once
}

func newRules(s Settings) rules {
	return rules{
		own: rule{
			scope: s.Scope, ttl: s.TTL, whileRevalidate: s.StaleWhileRevalidate, ifError: s.StaleIfError, jitter: s.TTLJitter,
			sampled: s.Sampled, effects: s.Effects, storesFallback: s.StoreFallback, convert: s.Convert,
			coalesce: s.Coalesce.Enabled, semantic: s.Semantic.Enabled,
		},
		off:       s.TTL == 0,
		sampled:   s.Sampled,
		maxBody:   int64(s.MaxBody),
		version:   s.Version,
		endpoints: s.Endpoints,
		headers:   keyHeaders(s.Headers),
	}
}

// A rule is what holds for a request.
type rule struct {
	scope                            string
	ttl, whileRevalidate, ifError    time.Duration
	jitter                           float64
	sampled, effects, storesFallback bool
	convert, coalesce, semantic      bool
}

// Who shares answers.
const (
	scopeClient = "client"
	scopeGroup  = "group"
	scopeShared = "shared"
)

// A question is a request that may be answered from the store.
type question struct {
	*rule
	place answer.Place // where the answer to it is
	form  answer.Form  // in which it is asked for
	route wire.Route
	body  []byte // of the request
	chat  bool   // it is a chat completion that is the same question in each of its forms

	anew   bool          // the client wants a new answer
	stored bool          // the client wants a stored answer or none
	maxAge time.Duration // the oldest answer that the client takes
}

// question reads req as one that may be answered from the store, or says why
// it may not: the question has no key then. It leaves req as it is.
func (r *rules) question(req *http.Request, call *plugins.Call) (q question, why string) {
	wants := readDirectives(req.Header)
	q = question{rule: &r.own, anew: wants.noCache, stored: wants.onlyIfCached, maxAge: wants.maxAge}
	if why := r.head(req); why != "" {
		return q, why
	}
	ask := call.Ask()
	switch {
	case wants.noStore:
		return q, whyHeader
	case ask.Stream:
		return q, whyStream
	case ask.Doubt(plugins.FieldModel|plugins.FieldStream|plugins.FieldMaxTokens) != nil:
		return q, whyBody
	}
	body := r.read(req)
	if body == nil {
		return q, whyBody
	}
	if why := r.judge(req.URL.Path, body); why != "" {
		return q, why
	}
	doc, err := canon.Parse(body)
	if err != nil {
		return q, whyBody
	}
	client, known := call.Client()
	q.place.Key = r.key(req, scope{client.Name, known}, doc)
	copy(q.place.Name.ID[:], q.place.Key[:])
	return q, ""
}

// head says why a request is not considered, as far as its line and its header
// tell.
func (r *rules) head(req *http.Request) string {
	switch {
	case r.off:
		return whyOff
	case req.Method != http.MethodPost:
		return whyMethod
	case !r.covers(req.URL):
		return whyEndpoint
	case len(req.Header["Idempotency-Key"]) > 0:
		return whyHeader // its author wants this very call, once
	case !plain(req.Header) || len(req.Trailer) > 0:
		return whyBody
	}
	return ""
}

// covers reports whether a path is among the endpoints. It is compared as it is
// escaped, since upstreams may tell the spellings of a path apart.
func (r *rules) covers(u *url.URL) bool {
	escaped := u.EscapedPath()
	if slices.Contains(r.endpoints, escaped) {
		return true
	}
	return never(u.Path) == "" && slices.ContainsFunc(r.endpoints, func(pattern string) bool {
		ok, _ := path.Match(pattern, escaped)
		return ok
	})
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
