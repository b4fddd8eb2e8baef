package limit

import (
	"errors"
	"net/http"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// A question is a request as rules see it.
type question struct {
	asker
	ask    plugins.Ask
	counts bool // the route uses tokens
	writes bool // the route's answers are text, so that max_tokens bounds them

	input, output int64 // tokens, estimated
	price         plugins.Price
	priced        bool
}

// question looks at the request, as far as any rule wants to know.
func (l *limiter) question(req *http.Request, call *plugins.Call) (q question) {
	client, _ := call.Client() // without auth everybody is the client ""
	q.asker = asker{client: client.Name, group: client.Group, header: req.Header}
	if !l.byModel && !l.byTokens {
		return q
	}
	q.ask = call.Ask()
	q.model = q.ask.Model
	if !l.byTokens {
		return q
	}
	route, _ := wire.OfURL(req.URL)
	if q.counts, q.writes = uses(route.Kind); q.counts {
		q.input, q.output = l.estimate.of(req, call)
		q.price, q.priced = l.prices.Of(q.model)
	}
	return q
}

// uses reports whether answers of a kind of route use tokens that somebody pays
// for, and whether they are text.
func uses(k wire.Kind) (counts, writes bool) {
	switch k {
	case wire.Chat, wire.Completions, wire.Responses, wire.Messages, wire.Generate:
		return true, true
	case wire.Embeddings, wire.Embed, wire.Moderations, wire.Rerank:
		return true, false
	}
	return false, false
}

// ask returns what the request claims of the rules. It returns the answer to one
// that cannot be decided on, or that no wait would let through.
func (l *limiter) ask(q *question) (*pass, error) {
	p := newPass()
	p.client, p.model, p.price = q.client, q.model, q.price
	for _, r := range l.rules {
		if err := l.claim(p, r, q); err != nil {
			return nil, err
		}
	}
	for i := range p.ticket.Claims {
		if c := &p.ticket.Claims[i]; c.Cost > c.Limit && !c.Shadow && p.parts[i].kind.settles() {
			p.parts[i].rule.meters.refused[p.parts[i].kind.reason()]().Inc()
			return nil, never(p.parts[i], q)
		}
	}
	return p, nil
}

// claim adds what the request claims of one rule. What a shadow would refuse for
// the request itself is none of its business.
func (l *limiter) claim(p *pass, r *rule, q *question) error {
	if r.byModel() {
		if doubt := q.ask.ModelDoubt(); doubt != nil {
			return unless(r.Shadow, doubt)
		}
		if !r.about(q.model) {
			return nil
		}
	}
	sizes, subject := r.sizes(&q.asker), r.subject(&q.asker)
	for k := range kinds {
		if sizes[k].n == 0 || k.settles() && !q.counts {
			continue
		}
		units, free, err := l.units(r, k, q)
		unknown := errors.Is(err, ErrUnpriced)
		switch {
		case unknown && r.Shadow:
			p.spared = append(p.spared, r)
		case unknown:
			r.meters.refused[priceless]().Inc()
		}
		if err != nil && !r.Shadow {
			return err
		}
		if err == nil && !free {
			p.claim(part{r, k, &sizes[k]}, subject, units)
		}
	}
	return nil
}

// unless returns err unless the rule is a shadow.
func unless(shadow bool, err error) error {
	if shadow {
		return nil
	}
	return err
}

// units returns how many units the request claims of the rule's limit of that
// kind, or that it is free of it.
func (l *limiter) units(r *rule, k kind, q *question) (units int64, free bool, err error) {
	if k.settles() && k != kindInput && q.writes {
		if doubt := q.ask.Doubt(plugins.FieldMaxTokens); doubt != nil {
			return 0, false, doubt
		}
	}
	switch k {
	case kindTokens:
		return q.input + q.output, false, nil
	case kindInput:
		return q.input, false, nil
	case kindOutput:
		return q.output, false, nil
	case kindBudget:
		if doubt := q.ask.ModelDoubt(); doubt != nil {
			return 0, false, doubt
		}
		if !q.priced {
			if l.unpriced == unpricedFree {
				return 0, true, nil
			}
			return 0, false, unpriced(r, q.model)
		}
		return q.cost(), false, nil
	}
	return 1, false, nil // a request, be it counted or in flight
}

// cost returns what the request is estimated to cost, in nanodollars.
func (q *question) cost() int64 {
	return q.price.Cost(plugins.Usage{Input: q.input, Output: q.output})
}
