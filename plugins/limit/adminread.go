package limit

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

const (
	// maxListed bounds how many subjects of a rule are listed, and with them how
	// long requests wait for the list.
	maxListed = 1000

	// maxSearched is among how many subjects those of one client are looked for,
	// in memory, where the list has to name them.
	maxSearched = 100_000

	// readTime bounds how long an operator waits for counters.
	readTime = 5 * time.Second
)

// counter is how one limit of a rule stands for one subject. Budgets are told in
// US dollars.
type counter struct {
	Client *string `json:"client,omitempty"` // "" is whoever came without a name
	Group  *string `json:"group,omitempty"`  // "" is whoever is in none
	Model  *string `json:"model,omitempty"`
	Value  *string `json:"value,omitempty"` // of the rule's header

	Kind      string      `json:"kind"`
	Limit     json.Number `json:"limit"`     // that can be used at once
	Used      json.Number `json:"used"`      // of it, now; more than the limit is debt
	Remaining json.Number `json:"remaining"` // of it, now
	ResetMS   int64       `json:"reset_ms"`  // until all of it remains, in milliseconds; 0 if nobody knows
	Mode      string      `json:"mode"`      // by what it is counted
	Key       string      `json:"key,omitempty"`
}

// A batch is counters that are read or reset at once.
type batch struct {
	claims []ledger.Claim
	parts  []part
	whose  []asker
}

// add adds those counters of the rule by which the asker goes, of one kind, or
// of all if that is kinds.
func (b *batch) add(r *rule, of asker, only kind) {
	sizes, subject, p := r.sizes(&of), r.subject(&of), pass{}
	for k := range kinds {
		if sizes[k].n > 0 && (only == kinds || only == k) {
			p.claim(part{r, k, &sizes[k]}, subject, 0)
			b.whose = append(b.whose, of)
		}
	}
	b.claims, b.parts = append(b.claims, p.ticket.Claims...), append(b.parts, p.parts...)
}

// show returns every rule with the counters that the query asks for. They are
// read at once.
func (l *limiter) show(ctx context.Context, query map[string][]string) (map[string]view, error) {
	f := newFilter(query)
	rules, b := map[string]view{replica: l.replicaView()}, &batch{}
	for _, r := range l.rules {
		v := r.view()
		var askers []asker
		askers, v.More = l.askers(r, f)
		for _, of := range askers {
			b.add(r, of, kinds)
		}
		rules[r.name] = v
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	if len(b.claims) > 0 {
		if err := l.ledger.Read(ctx, b.claims); err != nil {
			return nil, err
		}
	}
	for i := range b.claims {
		r := b.parts[i].rule
		if f.none() && r.Per != perGlobal && b.claims[i].Used == 0 {
			continue // a list is of what is in use
		}
		v := rules[r.name]
		v.Counters = append(v.Counters, l.counter(b, i))
		rules[r.name] = v
	}
	return rules, nil
}

// replicaView returns max_in_flight with its counter.
func (l *limiter) replicaView() view {
	v := l.replica.rule.view()
	held, most := l.slots.held.Load(), l.replica.size.n
	v.Counters = append(v.Counters, counter{
		Kind: kindFlight.String(), Mode: ledger.ModeMemory.String(),
		Limit: number(most), Used: number(held), Remaining: number(max(most-held, 0)),
	})
	return v
}

func number(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// counter returns the i-th counter of a batch that was read.
func (l *limiter) counter(b *batch, i int) counter {
	c, of := &b.claims[i], &b.parts[i]
	v := of.rule.named(&b.whose[i])
	v.Kind, v.Mode, v.ResetMS = of.kind.String(), c.Mode.String(), milliseconds(c.Reset)
	left := of.size.left(of.kind, c.Used)
	used := max(of.size.burst-left, 0)
	switch of.kind {
	case kindFlight, kindBudget:
		used = c.Used
	default:
		used = max(used, of.size.rate.Units(c.Used)) // debt
	}
	unit := number
	if of.kind == kindBudget {
		unit = func(n int64) json.Number { return json.Number(dollars(n)) }
	}
	v.Limit, v.Used, v.Remaining = unit(of.size.burst), unit(used), unit(left)
	if l.ledger.remote != nil {
		v.Key = l.ledger.remote.Key(c.Counter, c.Subject)
	}
	return v
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
