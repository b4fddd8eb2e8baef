package cache

import (
	"context"
	"time"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/plugins"
)

// tokensOf returns what is kept of a usage.
func tokensOf(u plugins.Usage) answer.Tokens {
	return answer.Tokens{
		Input: u.Input, Output: u.Output, Cached: u.Cached, Written: u.Written, Reasoning: u.Reasoning,
		Known: u.Source != plugins.UsageUnknown, Estimated: u.Source != plugins.UsageReported, Counted: u.Counted,
	}
}

// usageOf returns what an answer has used.
func usageOf(a *answer.Answer) plugins.Usage {
	u := plugins.Usage{
		Input: a.Tokens.Input, Output: a.Tokens.Output, Cached: a.Tokens.Cached, Written: a.Tokens.Written,
		Reasoning: a.Tokens.Reasoning, Counted: a.Tokens.Counted, Model: a.Model,
	}
	switch {
	case !a.Tokens.Known:
	case a.Tokens.Estimated:
		u.Source = plugins.UsageEstimated
	default:
		u.Source = plugins.UsageReported
	}
	return u
}

// save notes what an answer has used that was given again, by the model that has
// made it.
func (l *link) save(call *plugins.Call, model string, u plugins.Usage) {
	if u.Source == plugins.UsageUnknown {
		return
	}
	u.Model = model
	call.SetSaved(u)
	if u.Counted {
		return
	}
	key := l.prices.Key(model)
	if key == "" {
		l.metrics.save(unpriced, u, 0)
		return
	}
	l.metrics.save(key, u, l.prices[key].Cost(u))
}

// spreading bounds what a flight does once nobody waits for it.
const spreading = 2 * time.Second

// spread gives the answer to those who look for it elsewhere: to the replicas
// that share Redis, and to questions that mean the same.
func (f *flight) spread() {
	ctx, cancel := context.WithTimeout(f.ended, spreading)
	defer cancel()
	out, _ := f.share(&member{})
	a := out.kept
	age := f.now().Sub(a.Since)
	life := min(f.q.lifetime(&a.Key)+max(f.q.whileRevalidate, f.q.ifError), a.Most)
	f.shelf.Share(ctx, f.q.place, a, life-age)
	f.semantic.learn(ctx, f.meaning, f.q.place, life-age)
}
