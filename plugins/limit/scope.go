package limit

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/holysheep/relay/internal/fault"
	"github.com/holysheep/relay/plugins"
)

// check implements [plugins.Link.Check]: it returns rules that can match nothing
// and overrides of nobody.
func (l *limiter) check(scope plugins.Scope) error {
	l.known = scope.Clients
	var errs []error
	for _, r := range l.rules {
		errs = append(errs, fault.Under("rules."+r.name, r.checkScope(scope)))
	}
	return errors.Join(errs...)
}

// checkScope returns what the rule names that is not in scope, each with its
// key first.
func (r *rule) checkScope(scope plugins.Scope) error {
	var clients, groups []string
	for _, c := range scope.Clients {
		clients = append(clients, c.Name)
		if c.Group != "" && !slices.Contains(groups, c.Group) {
			groups = append(groups, c.Group)
		}
	}
	errs := []error{r.checkPer(scope.Named, len(groups) > 0)}
	for _, glob := range r.Models {
		if scope.Serves != nil && !scope.Serves(glob) {
			errs = append(errs, fmt.Errorf("models: no upstream serves a model that fits %q", glob))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Clients)) {
		if !slices.Contains(clients, name) {
			errs = append(errs, fmt.Errorf("clients.%s: there is no such client", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Groups)) {
		if !slices.Contains(groups, name) {
			errs = append(errs, fmt.Errorf("groups.%s: no client is in such a group", name))
		}
	}
	return errors.Join(errs...)
}

// checkPer returns what is wrong with a rule that tells clients apart where
// nobody names them.
func (r *rule) checkPer(named, grouped bool) error {
	switch r.Per {
	case perClient, perClientModel, perGroup:
		if !named {
			return fmt.Errorf("per: %s means nothing, for nobody in the chain names clients: put auth before limit, or take per: global or header", r.Per)
		}
	}
	if r.Per == perGroup && !grouped {
		return errors.New("per: no client is in a group: give clients a group, or take per: client")
	}
	return nil
}
