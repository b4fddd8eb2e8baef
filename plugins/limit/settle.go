package limit

import (
	"net/http"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/plugins"
)

// An outcome is what a request came to, when its answer has ended.
type outcome struct {
	usage plugins.Usage
	cost  int64 // nanodollars
	keep  bool  // what was reserved stands
}

// settle sets what a claim that was taken came to, and notes it.
func (p *part) settle(c *ledger.Claim, o *outcome) {
	if !p.kind.settles() || o.keep {
		p.settled(c, p.units(c.Cost))
		return
	}
	units := o.units(p.kind)
	c.Actual = p.size.cost(p.kind, units)
	p.settled(c, p.told(units))
}

// units returns what the request came to of the limits of one kind.
func (o *outcome) units(k kind) int64 {
	switch k {
	case kindTokens:
		return o.usage.Total()
	case kindInput:
		return o.usage.Input
	case kindOutput:
		return o.usage.Output
	}
	return o.cost
}

// ended returns what the request came to whose answer has ended. res is nil if
// there was none.
func (l *limiter) ended(req *http.Request, p *pass, res *http.Response) outcome {
	answer := answerOf(req)
	switch {
	case answer == nil:
		// Nobody was asked: the cache has answered, or the request was refused.
		return outcome{keep: l.countHits && res != nil && res.StatusCode < http.StatusBadRequest}
	case res == nil && req.Context().Err() == nil || res != nil && res.StatusCode >= http.StatusBadRequest:
		return outcome{}
	}
	switch answer.Usage().Source {
	case plugins.UsageUnknown:
		// An error in an answer whose status does not say so, or a client that has
		// left when an attempt had failed and the next was not sent.
		return outcome{}
	case plugins.UsagePartial: // or the client has left before the answer came
		return l.broken(p, answer)
	}
	return l.used(p, answer)
}

// answerOf returns the attempt whose answer req got, nil if nobody was asked.
// Behind retry the request is one of several attempts, and each is settled by
// itself; before it, by the one whose answer stands.
func answerOf(req *http.Request) *plugins.Attempt {
	own := plugins.AttemptOf(req.Context())
	switch {
	case own == nil:
		return plugins.CallOf(req.Context()).Trail.Answer()
	case own.Upstream() == "":
		return nil
	}
	return own
}

// broken returns what a request came to whose answer broke off.
func (l *limiter) broken(p *pass, answer *plugins.Attempt) outcome {
	switch l.onBroken {
	case brokenReserved:
		return outcome{keep: true}
	case brokenFree:
		return outcome{}
	}
	return l.used(p, answer)
}

// used returns what the answer has used, by the price of the model that
// answered, or of the one that was asked for if that has none.
func (l *limiter) used(p *pass, answer *plugins.Attempt) outcome {
	price := p.price
	if model := answer.Model(); model != p.model { // which is looked up already
		if other, priced := l.prices.Of(model); priced {
			price = other
		}
	}
	usage := answer.Usage()
	return outcome{usage: usage, cost: price.Cost(usage)}
}
