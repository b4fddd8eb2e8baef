package cache

import (
	"context"
	"encoding/binary"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/chatform"
	"github.com/holysheep/relay/internal/shelf"
	"github.com/holysheep/relay/plugins"
)

// A state is what may be done with a stored answer.
type state uint8

// The states of stored answers.
const (
	gone  state = iota // nothing
	spent              // it may be given where the upstream fails
	spare              // it may be given while a new one is asked for
	fresh              // it may be given
)

// A finding is what the store has for a question.
type finding struct {
	state  state
	answer *answer.Answer
	body   []byte // of the answer, in the form that is asked for
	tier   shelf.Tier
	age    time.Duration
	score  float64 // how near the question is to the one that was answered; 0 is the same
	paid   bool    // who gets it pays for it
}

// look returns what the store has for q.
func (l *link) look(ctx context.Context, q *question) finding {
	if q.anew {
		return finding{}
	}
	a, tier := l.shelf.Get(ctx, q.place, func(a *answer.Answer) bool { return l.find(q, a, 0).state == fresh })
	return l.find(q, a, tier)
}

// find returns what a stored answer is to q. It may be nil.
func (l *link) find(q *question, a *answer.Answer, tier shelf.Tier) finding {
	if a == nil {
		return finding{}
	}
	f := finding{answer: a, tier: tier, age: max(0, l.now().Sub(a.Since))}
	if f.state = q.state(a, f.age); f.state == gone {
		return finding{}
	}
	if f.body = bodyIn(a, q); f.body == nil {
		return finding{}
	}
	return f
}

// state returns what may be done for q with an answer of that age. No window
// goes beyond what the answer's upstream allows.
func (q *question) state(a *answer.Answer, age time.Duration) state {
	life := q.lifetime(&a.Key)
	switch {
	case age > q.maxAge || age >= a.Most:
		return gone
	case age < life:
		return fresh
	case age < life+q.whileRevalidate:
		return spare
	case age < life+q.ifError:
		return spent
	}
	return gone
}

// lifetime returns for how long an answer is given again: the ttl less a part
// of it that follows from the key, so that all replicas agree on it.
func (r *rule) lifetime(k *key) time.Duration {
	part := float64(binary.BigEndian.Uint32(k[len(k)-4:])) / (math.MaxUint32 + 1)
	return r.ttl - time.Duration(r.jitter*part*float64(r.ttl))
}

// bodyIn returns the body of a in the form that q asks for, nil if it cannot
// have that form.
func bodyIn(a *answer.Answer, q *question) []byte {
	if a.Form == q.form {
		return a.Body
	}
	if !q.chat {
		return nil
	}
	body, err := chatform.To(a.Body, a.Form, q.form, a.Tokens)
	if err != nil {
		return nil
	}
	return body
}

// give answers req with what was found.
func (l *link) give(req *http.Request, call *plugins.Call, q *question, f finding, as result) *http.Response {
	l.note(call, as)
	if as == hit {
		l.metrics.tiers[f.tier].Inc()
	}
	call.SetHeader("Age", strconv.FormatInt(int64(f.age/time.Second), 10))
	if f.score != 0 {
		call.SetHeader("X-Cache-Score", strconv.FormatFloat(f.score, 'f', 4, 64))
	}
	if !f.paid {
		l.save(call, f.answer.Model, usageOf(f.answer))
	}
	return response(req, f.answer, f.body, q.form, l.settings.ReplayInterval)
}

// A result is what the cache did with a request.
type result string

// The results.
const (
	hit       result = "HIT"
	miss      result = "MISS"
	coalesced result = "COALESCED"
	stale     result = "STALE"
	bypass    result = "BYPASS"
)

// note counts a result, and tells the client and the access line.
func (l *link) note(call *plugins.Call, r result) {
	l.metrics.results[r].Inc()
	call.SetHeader("X-Cache", string(r))
	call.SetCache(string(r))
}
