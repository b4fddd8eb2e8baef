package limit

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// readTime bounds how long an operator waits for counters.
const readTime = 5 * time.Second

// counter is how one limit of a rule stands for one subject. Budgets are told in
// US dollars.
type counter struct {
	Client *string `json:"client,omitempty"` // "" is whoever came without a name
	Group  *string `json:"group,omitempty"`  // "" is whoever is in none
	Model  *string `json:"model,omitempty"`
	Value  *string `json:"value,omitempty"` // of the rule's header

	Kind      string      `json:"kind"`
	Limit     json.Number `json:"limit"`          // that can be used at once
	Used      json.Number `json:"used,omitempty"` // of it, now; more than the limit is debt; absent while only a share is known
	Remaining json.Number `json:"remaining"`      // of it, now
	ResetMS   int64       `json:"reset_ms"`       // until all of it remains, in milliseconds; 0 if nobody knows
	Mode      string      `json:"mode"`           // by what it is counted
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
	v.Limit, v.Remaining = unit(of.size.burst), unit(left)
	if c.Mode == ledger.ModeMemory || c.Mode == ledger.ModeShared {
		v.Used = unit(used)
	}
	if l.ledger.remote != nil {
		v.Key = l.ledger.remote.Key(c.Counter, c.Subject)
	}
	return v
}
