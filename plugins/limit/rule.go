package limit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/plugins"
)

// longSubject is from how many bytes on a model or the value of a header is
// hashed, so that no client fills the memory with names.
const longSubject = 64

// A rule is a rule of the configuration, of one generation. Its counters are
// shared by all generations that have the rule.
type rule struct {
	Rule
	name string
	down ledger.Down

	counters [kinds]*ledger.Counter // nil of what the rule does not limit
	own      sizes
	clients  map[string]*sizes
	groups   map[string]*sizes

	queue  *queue // nil without one
	meters *meters
}

// newRules returns the rules of s in the order of their names.
func newRules(s Settings, m *metrics) ([]*rule, error) {
	var rules []*rule
	for _, name := range slices.Sorted(maps.Keys(s.Rules)) {
		r, err := newRule(name, s.Rules[name], m)
		if err != nil {
			return nil, fmt.Errorf("rules.%s: %w", name, err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func newRule(name string, settings Rule, m *metrics) (r *rule, err error) {
	r = &rule{Rule: settings, name: name, meters: m.of(name), clients: map[string]*sizes{}, groups: map[string]*sizes{}}
	r.down = map[string]ledger.Down{downOpen: ledger.DownOpen, downClosed: ledger.DownClosed}[settings.OnStoreDown]
	if r.own, err = newSizes(settings); err != nil {
		return nil, err
	}
	for k := range kinds {
		if r.own[k].n == 0 {
			continue
		}
		r.counters[k] = r.counter(k)
	}
	return r, r.override()
}

// counter returns what counts the limit of that kind. Its name holds all that
// makes counters incomparable: whose they are, and of which window.
func (r *rule) counter(k kind) *ledger.Counter {
	c := &ledger.Counter{
		Name:     r.name + "." + strings.ReplaceAll(r.Per, "+", "_") + "." + k.String(),
		Kind:     ledger.KindRate,
		OfClient: r.Per == perClient || r.Per == perClientModel,
	}
	switch k {
	case kindFlight:
		c.Kind = ledger.KindFlight
	case kindBudget:
		c.Kind = ledger.KindBudget
		switch r.Budget.Per {
		case budgetMonth:
			c.Name, c.Window.Calendar = c.Name+".month", ledger.Month
		case budgetRolling:
			c.Name, c.Window.Length = c.Name+".rolling"+fmt.Sprint(r.Budget.Length.Microseconds()), r.Budget.Length
		default:
			c.Name, c.Window.Calendar = c.Name+".day", ledger.Day
		}
	}
	return c
}

// override makes the sizes of the overrides.
func (r *rule) override() error {
	for _, table := range []struct {
		from map[string]Override
		into map[string]*sizes
	}{{r.Clients, r.clients}, {r.Groups, r.groups}} {
		for name, o := range table.from {
			s, err := newSizes(r.over(o))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			table.into[name] = &s
		}
	}
	return nil
}

// sizes returns the numbers that the rule has for a client of a group.
func (r *rule) sizes(of *asker) *sizes {
	if len(r.clients) > 0 {
		if s := r.clients[of.client]; s != nil {
			return s
		}
	}
	if len(r.groups) > 0 {
		if s := r.groups[of.group]; s != nil {
			return s
		}
	}
	return &r.own
}

// An asker is who asks for what, as far as rules tell askers apart.
type asker struct {
	client, group string
	model         string
	header        http.Header
}

// byModel reports whether the rule depends on the model, whatever it limits.
func (r *rule) byModel() bool {
	return len(r.Models) > 0 || r.Per == perModel || r.Per == perClientModel
}

// about reports whether the rule is about requests for the model.
func (r *rule) about(model string) bool {
	return len(r.Models) == 0 ||
		slices.ContainsFunc(r.Models, func(glob string) bool { return plugins.MatchModel(glob, model) })
}

// subject returns whose counters of the rule a request goes by. Those without a
// name, group, model or header share one.
func (r *rule) subject(of *asker) ledger.Subject {
	switch r.Per {
	case perClient:
		return ledger.Subject{A: of.client}
	case perGroup:
		return ledger.Subject{A: of.group}
	case perModel:
		return ledger.Subject{A: short(of.model)}
	case perClientModel:
		return ledger.Subject{A: of.client, B: short(of.model)}
	case perHeader:
		return ledger.Subject{A: short(of.header.Get(r.Header))}
	}
	return ledger.Subject{}
}

// short returns text, or its hash where it is long.
func short(text string) string {
	if len(text) <= longSubject {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:16])
}

// whose says for people who shares the rule.
func (r *rule) whose() string {
	switch r.Per {
	case perGlobal:
		return ""
	case perClientModel:
		return ", for each client and model"
	case perHeader:
		return ", for each " + http.CanonicalHeaderKey(r.Header)
	}
	return ", for each " + r.Per
}
