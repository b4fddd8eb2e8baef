package upstream

import (
	"math/rand/v2"
	"slices"

	"github.com/holysheep/relay/plugins"
)

// pick chooses whom to ask, and notes it on the attempt and the call's trail:
// among the upstreams that serve the model, those not yet asked, of the lowest
// priority, at random by weight. If all have been asked, it begins again.
func (p *Pool) pick(a *asking) error {
	model, err := p.model(a.call)
	if err != nil {
		return err
	}
	fresh, all := p.candidates(a.call, model)
	if len(all) == 0 {
		return ErrModel
	}
	from := fresh
	if len(from) == 0 {
		from = all
	}
	a.member, a.model = draw(best(from)), model
	a.key = a.member.keys.pick(p.now(), a.call)
	a.attempt.Begin(a.member.name, a.key.name, model, max(len(fresh)-1, 0))
	a.call.Trail.Begin(a.attempt)
	return nil
}

// model returns the model to go by, "" if no upstream cares. It returns
// [plugins.ErrAmbiguousBody] where readers of the body could differ on it: a
// guess would send the request to an upstream that it is not for. The end of a
// long body may be unseen, though: a model before it is taken at its word.
func (p *Pool) model(call *plugins.Call) (string, error) {
	if !p.routes {
		return "", nil
	}
	ask := call.Ask()
	if err := ask.Doubt(plugins.FieldModel); err != nil && (ask.Whole || ask.Model == "") {
		return "", err
	}
	return ask.Model, nil
}

// candidates returns the upstreams that serve the model, all of them and those
// that this call has not asked. A request that names no model can go anywhere.
func (p *Pool) candidates(call *plugins.Call, model string) (fresh, all []*member) {
	if !p.routes && call.Trail.Attempts() == 0 {
		return p.members, p.members
	}
	for _, m := range p.members {
		if model != "" && !m.serves(model) {
			continue
		}
		all = append(all, m)
		if !call.Trail.Asked(m.name) {
			fresh = append(fresh, m)
		}
	}
	return fresh, all
}

// serves reports whether one of the globs fits the model, or there is another
// name for it here.
func (m *member) serves(model string) bool {
	return len(m.set.Models) == 0 || m.set.Rewrite[model] != "" ||
		slices.ContainsFunc(m.set.Models, func(glob string) bool { return plugins.MatchModel(glob, model) })
}

// best returns the members of the lowest priority. from is sorted by it.
func best(from []*member) []*member {
	for i, m := range from {
		if m.set.Priority != from[0].set.Priority {
			return from[:i]
		}
	}
	return from
}

// draw takes one at random by weight, or any if no weight is above 0.
func draw(from []*member) *member {
	if len(from) == 1 {
		return from[0]
	}
	sum := 0
	for _, m := range from {
		sum += m.set.Weight
	}
	if sum == 0 {
		return from[rand.IntN(len(from))] //nolint:gosec // a share, not a secret
	}
	n := rand.IntN(sum) //nolint:gosec // a share, not a secret
	for _, m := range from {
		if n -= m.set.Weight; n < 0 {
			return m
		}
	}
	return from[0]
}
