package limit

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/plugins"
)

const (
	// maxListed bounds how many subjects of a rule are listed, and with them how
	// long requests wait for the list.
	maxListed = 1000

	// maxSearched is among how many subjects of a counter in memory those are
	// looked for that an operator asks for.
	maxSearched = 100_000
)

// A filter is whose counters an operator asks for. What is nil is not asked for.
type filter struct{ client, group, model, header *string }

func newFilter(query url.Values) filter {
	one := func(key string) *string {
		if !query.Has(key) {
			return nil
		}
		return new(query.Get(key))
	}
	return filter{client: one("client"), group: one("group"), model: one("model"), header: one("header")}
}

// whoseKeys are those of a query that make a filter.
func whoseKeys() []string { return []string{"client", "group", "model", "header"} }

// checkQuery returns what is wrong with the keys of a query: a key that is
// misspelt would show or reset more than was meant.
func checkQuery(query url.Values, keys []string) error {
	for _, key := range slices.Sorted(maps.Keys(query)) {
		switch {
		case !slices.Contains(keys, key):
			return fmt.Errorf("%s: unknown: it is not one of %s", key, strings.Join(keys, ", "))
		case len(query[key]) > 1:
			return fmt.Errorf("%s: it is there twice", key)
		}
	}
	return nil
}

// stranger reports whether the configuration names clients, and none of that
// name.
func (l *limiter) stranger(client string) bool {
	return client != "" && len(l.known) > 0 &&
		!slices.ContainsFunc(l.known, func(c plugins.Client) bool { return c.Name == client })
}

// none reports whether everybody's counters are asked for.
func (f filter) none() bool { return f == filter{} }

// groupOf returns the group of a client whom the configuration names.
func (l *limiter) groupOf(client string) string {
	if i := slices.IndexFunc(l.known, func(c plugins.Client) bool { return c.Name == client }); i >= 0 {
		return l.known[i].Group
	}
	return ""
}

// named returns an empty counter that says whose it is.
func (r *rule) named(of *asker) (v counter) {
	switch s := r.subject(of); r.Per {
	case perClient:
		v.Client = &s.A
	case perGroup:
		v.Group = &s.A
	case perModel:
		v.Model = &s.A
	case perClientModel:
		v.Client, v.Model = &s.A, &s.B
	case perHeader:
		v.Value = &s.A
	}
	return v
}

// askers returns whose counters of the rule are asked for, and whether there may
// be more of them: a shared store does not know the names of what it counts.
func (l *limiter) askers(r *rule, f filter) (all []asker, more bool) {
	if one, exact := l.asker(r, f); exact {
		return []asker{one}, false
	}
	if l.ledger.memory == nil {
		return l.named(r, f)
	}
	seen := map[ledger.Subject]bool{}
	for _, c := range r.counters {
		if c == nil {
			continue
		}
		for _, s := range l.ledger.memory.Subjects(c, maxSearched) {
			if of := l.of(r, s); !seen[s] && f.fits(r, of) {
				seen[s] = true
				all = append(all, of)
			}
		}
	}
	slices.SortFunc(all, func(a, b asker) int {
		return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.group, b.group), cmp.Compare(a.model, b.model),
			cmp.Compare(a.header.Get(r.Header), b.header.Get(r.Header)))
	})
	return all[:min(len(all), maxListed)], len(all) > maxListed
}

// asker returns the one by whose counters the rule goes for what is asked, and
// whether that is one.
func (l *limiter) asker(r *rule, f filter) (of asker, exact bool) {
	if f.client != nil {
		of.client, of.group = *f.client, l.groupOf(*f.client)
	}
	if f.group != nil {
		of.group = *f.group
	}
	if f.model != nil {
		of.model = *f.model
	}
	if f.header != nil {
		of.header = http.Header{http.CanonicalHeaderKey(r.Header): {*f.header}}
	}
	return of, len(r.lacks(f)) == 0
}

// lacks returns what would have to be asked for besides for one counter of each
// kind of the rule.
func (r *rule) lacks(f filter) (keys []string) {
	if f.client == nil && (r.Per == perClient || r.Per == perClientModel) {
		keys = append(keys, "client")
	}
	if f.client == nil && f.group == nil && r.Per == perGroup {
		keys = append(keys, "group")
	}
	if f.model == nil && (r.Per == perModel || r.Per == perClientModel) {
		keys = append(keys, "model")
	}
	if f.header == nil && r.Per == perHeader {
		keys = append(keys, "header")
	}
	return keys
}

// spare returns what is asked for and makes no difference to the counters of the
// rule: whoever names it means others.
func (r *rule) spare(f filter) (keys []string) {
	byClient, byModel := r.Per == perClient || r.Per == perClientModel, r.Per == perModel || r.Per == perClientModel
	for _, k := range []struct {
		key   string
		value *string
		goes  bool
	}{
		{"client", f.client, byClient || r.Per == perGroup},
		{"group", f.group, r.Per == perGroup},
		{"model", f.model, byModel},
		{"header", f.header, r.Per == perHeader},
	} {
		if k.value != nil && !k.goes {
			keys = append(keys, k.key)
		}
	}
	return keys
}

// named returns those whose counters of the rule are asked for as far as the
// configuration names them.
func (l *limiter) named(r *rule, f filter) (all []asker, more bool) {
	if r.Per != perClient && r.Per != perGroup {
		return nil, true
	}
	seen := map[ledger.Subject]bool{}
	for _, c := range l.known {
		of := asker{client: c.Name, group: c.Group}
		if r.Per == perGroup {
			of.client = ""
		}
		if s := r.subject(&of); !seen[s] && f.fits(r, of) {
			if len(all) == maxListed {
				return all, true
			}
			seen[s] = true
			all = append(all, of)
		}
	}
	return all, false
}

// of returns an asker who goes by the subject's counters of the rule.
func (l *limiter) of(r *rule, s ledger.Subject) asker {
	switch r.Per {
	case perClient, perClientModel:
		return asker{client: s.A, group: l.groupOf(s.A), model: s.B}
	case perGroup:
		return asker{group: s.A}
	case perModel:
		return asker{model: s.A}
	case perHeader:
		return asker{header: http.Header{http.CanonicalHeaderKey(r.Header): {s.A}}}
	}
	return asker{}
}

// fits reports whether the asker's counters of the rule are asked for.
func (f filter) fits(r *rule, of asker) bool {
	byClient := r.Per == perClient || r.Per == perClientModel
	byModel := r.Per == perModel || r.Per == perClientModel
	return (f.client == nil || !byClient || *f.client == of.client) &&
		(f.group == nil || !byClient || *f.group == of.group) &&
		(f.model == nil || !byModel || short(*f.model) == of.model)
}
