package upstream

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// ErrWire says that no upstream speaks the API that was asked. Nothing was sent.
var ErrWire = &plugins.Error{
	Status: http.StatusNotFound, Type: "invalid_request_error", Code: "wire_not_served",
	Message: "no upstream speaks this API",
}

// A wireSet is a set of wires.
type wireSet uint8

// wireBit returns the set of one wire. A request of none, which no route of the
// relay makes, goes anywhere.
func wireBit(name wire.Name) wireSet {
	switch name {
	case wire.OpenAI:
		return 1
	case wire.Anthropic:
		return 2
	case wire.Gemini:
		return 4
	case wire.Azure:
		return 8
	}
	return 15
}

// names returns the names of the set, which is never empty.
func (w wireSet) names() []wire.Name {
	return slices.DeleteFunc(wire.Names(), func(name wire.Name) bool { return w&wireBit(name) == 0 })
}

// wiresOf returns the wires that an upstream of the pool speaks: those that it
// names, or without any openai, and anthropic unless another upstream names
// that. The first two share their paths, so that a relay in front of one
// upstream that speaks both needs no setting; the others are asked elsewhere.
func wiresOf(s Settings, all map[string]Settings) wireSet {
	var set wireSet
	for _, name := range s.Wires {
		set |= wireBit(name)
	}
	if set != 0 {
		return set
	}
	for _, other := range all {
		if slices.Contains(other.Wires, wire.Anthropic) {
			return wireBit(wire.OpenAI)
		}
	}
	return wireBit(wire.OpenAI) | wireBit(wire.Anthropic)
}

// unserved returns [ErrWire] if nobody speaks the route's wire.
func (p *Pool) unserved(r wire.Route) error {
	if p.wires&wireBit(r.Wire) != 0 {
		return nil
	}
	return ErrWire.Saying(fmt.Sprintf(
		"no upstream speaks the API %q: an upstream that does names it under wires", r.Wire))
}

// unknown returns [ErrModel], and says if the model is served over other wires
// than that of the route.
func (p *Pool) unknown(r wire.Route, model string) error {
	var others wireSet
	for _, m := range p.members {
		if m.set.serves(model) {
			others |= m.wires
		}
	}
	if others == 0 {
		return ErrModel
	}
	return ErrModel.Saying(fmt.Sprintf("no upstream serves this model over the API %s; it is served over %s",
		r.Wire, wordList(others.names(), ", ")))
}

// serves reports whether the upstream serves the model.
func (m *member) serves(model string) bool { return m.set.serves(model) }

// serves reports whether an upstream of these settings serves the model: one of its globs fits,
// or it has another name for it. Without globs it serves every model, and a
// request that names no model can go anywhere.
func (s *Settings) serves(model string) bool {
	if model == "" || len(s.Models) == 0 {
		return true
	}
	if _, named := s.Rewrite[model]; named {
		return true
	}
	return slices.ContainsFunc(s.Models, func(glob string) bool { return plugins.MatchModel(glob, model) })
}

// routed reports whether it matters to the upstream which model is asked for.
func (s *Settings) routed() bool { return len(s.Models) > 0 || len(s.Rewrite) > 0 }

// model returns the model to go by, "" if no upstream cares. It returns
// [plugins.ErrAmbiguousBody] where readers of the body could differ on it: a
// guess would send the request to an upstream that it is not for. The end of a
// long body may be unseen, though: a model before it is taken at its word.
func (p *Pool) model(call *plugins.Call) (string, error) {
	if !p.routes {
		return "", nil
	}
	ask := call.Ask()
	if err := ask.ModelDoubt(); err != nil {
		return "", err
	}
	return ask.Model, nil
}
