package cache

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"time"

	"github.com/holysheep/relay/internal/fault"
	"github.com/holysheep/relay/plugins"
)

// A rule is what holds for a request.
type rule struct {
	name            string // "" is that of all requests that have no other
	priority        int
	endpoints       []string
	models          []string
	clients, groups []string

	scope                            string
	ttl, whileRevalidate, ifError    time.Duration
	jitter                           float64
	sampled, effects, storesFallback bool
	convert, coalesce, semantic      bool
}

// outer is the rule of all requests that have no other.
func (s Settings) outer() rule {
	return rule{
		endpoints: s.Endpoints, models: s.Models,
		scope: s.Scope, ttl: s.TTL, whileRevalidate: s.StaleWhileRevalidate, ifError: s.StaleIfError, jitter: s.TTLJitter,
		sampled: s.Sampled, effects: s.Effects, storesFallback: s.StoreFallback, convert: s.Convert,
		coalesce: s.Coalesce.Enabled, semantic: s.Semantic.Enabled,
	}
}

// all returns every rule in the order in which they are tried, the outer one
// last.
func (s Settings) all() []rule {
	outer := s.outer()
	var list []rule
	for _, name := range slices.Sorted(maps.Keys(s.Rules)) {
		list = append(list, s.Rules[name].over(outer, name))
	}
	slices.SortStableFunc(list, func(a, b rule) int { return cmp.Compare(a.priority, b.priority) })
	return append(list, outer)
}

// over returns the rule with what it does not set taken from the outer one.
func (r Rule) over(outer rule, name string) rule {
	out := outer
	out.name, out.priority, out.clients, out.groups = name, r.Priority, r.Clients, r.Groups
	if len(r.Endpoints) > 0 {
		out.endpoints = r.Endpoints
	}
	if len(r.Models) > 0 {
		out.models = r.Models
	}
	out.scope = cmp.Or(r.Scope, out.scope)
	set(&out.ttl, r.TTL)
	set(&out.whileRevalidate, r.StaleWhileRevalidate)
	set(&out.ifError, r.StaleIfError)
	set(&out.sampled, r.Sampled)
	set(&out.effects, r.Effects)
	set(&out.storesFallback, r.StoreFallback)
	set(&out.convert, r.Convert)
	set(&out.coalesce, r.Coalesce)
	set(&out.semantic, r.Semantic)
	return out
}

// set sets what a pointer says, if it says anything.
func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// about reports whether the rule is about a request of the client for the model.
func (r *rule) about(model string, c plugins.Client, known bool) bool {
	if len(r.models) > 0 && !slices.ContainsFunc(r.models, func(glob string) bool { return plugins.MatchModel(glob, model) }) {
		return false
	}
	if len(r.clients) == 0 && len(r.groups) == 0 {
		return true
	}
	return known && (slices.Contains(r.clients, c.Name) || c.Group != "" && slices.Contains(r.groups, c.Group))
}

// covers reports whether a path is among the endpoints. It is compared as it is
// escaped, since upstreams may tell the spellings of a path apart.
func (r *rule) covers(u *url.URL) bool {
	escaped := u.EscapedPath()
	if slices.Contains(r.endpoints, escaped) {
		return true
	}
	return (r.effects || never(u.Path) == "") && slices.ContainsFunc(r.endpoints, func(pattern string) bool {
		ok, _ := path.Match(pattern, escaped)
		return ok
	})
}

// shares reports whether some client may get what another one has asked for.
func (s Settings) shares() bool {
	return slices.ContainsFunc(s.all(), func(r rule) bool { return r.ttl > 0 && r.scope != scopeClient })
}

// check implements [plugins.Link.Check]: it returns whom rules name that is not
// there.
func (r *rules) check(scope plugins.Scope) error {
	var errs []error
	for i := range r.list {
		if one := &r.list[i]; one.name != "" {
			errs = append(errs, fault.Under("rules."+one.name, one.check(scope)))
		} else {
			errs = append(errs, one.check(scope))
		}
	}
	return errors.Join(errs...)
}

func (r *rule) check(scope plugins.Scope) error {
	var errs []error
	grouped := func(name string) bool {
		return slices.ContainsFunc(scope.Clients, func(c plugins.Client) bool { return c.Group != "" && (name == "" || c.Group == name) })
	}
	for _, name := range r.clients {
		if !slices.ContainsFunc(scope.Clients, func(c plugins.Client) bool { return c.Name == name }) {
			errs = append(errs, fmt.Errorf("clients: there is no client %s", name))
		}
	}
	for _, name := range r.groups {
		if !grouped(name) {
			errs = append(errs, fmt.Errorf("groups: no client is in a group %s", name))
		}
	}
	if r.scope == scopeGroup && !grouped("") {
		errs = append(errs, errors.New("scope: no client is in a group: give clients a group, or take scope: client"))
	}
	return errors.Join(errs...)
}
