package limit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// resetCounter is a counter that was reset, as it stood before.
type resetCounter struct {
	Rule string `json:"rule"`
	counter
}

// reset sets the counters to nothing taken that the query names: those of one
// rule and one subject, of one kind or all. It returns the answer.
func (l *limiter) reset(ctx context.Context, query url.Values) (status int, answer any) {
	b, err := l.chosen(query)
	if err != nil {
		return http.StatusBadRequest, failure("invalid_request", err.Error())
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	if err = l.ledger.Read(ctx, b.claims); err == nil {
		list := make([]resetCounter, len(b.claims))
		for i := range b.claims {
			list[i] = resetCounter{b.parts[i].rule.name, l.counter(b, i)}
		}
		answer = map[string]any{"reset": list}
		err = l.ledger.Reset(ctx, b.claims)
	}
	if err != nil {
		return http.StatusServiceUnavailable, failure(unavailable.String(), "the counters cannot be reset at the moment: "+err.Error())
	}
	l.noteReset(ctx, b)
	for i := range b.parts {
		if r := b.parts[i].rule; b.parts[i].kind == kindFlight && r.queue != nil {
			r.queue.Wake(b.claims[i].Subject)
		}
	}
	return http.StatusOK, answer
}

// noteReset logs what an operator has changed.
func (l *limiter) noteReset(ctx context.Context, b *batch) {
	of := &b.whose[0]
	names := make([]string, len(b.parts))
	for i := range b.parts {
		names[i] = b.parts[i].kind.String()
	}
	l.log.InfoContext(ctx, "limits reset", "rule", b.parts[0].rule.name, "client", of.client, "group", of.group,
		"model", short(of.model), "kinds", names)
}

// chosen returns the counters that the query names. The error says what is wrong
// with it, and what could stand there.
func (l *limiter) chosen(query url.Values) (*batch, error) {
	if err := checkQuery(query, append(whoseKeys(), "rule", "kind")); err != nil {
		return nil, err
	}
	names := make([]string, len(l.rules))
	for i, r := range l.rules {
		names[i] = r.name
	}
	if len(names) == 0 {
		return nil, errors.New("rule: there is none that could be reset")
	}
	i := slices.Index(names, query.Get("rule"))
	if i < 0 {
		return nil, fmt.Errorf("rule: %q is not one of %s", query.Get("rule"), strings.Join(names, ", "))
	}
	r, f := l.rules[i], newFilter(query)
	if lacks := r.lacks(f); len(lacks) > 0 {
		return nil, fmt.Errorf("%s: missing: the rule %q is per %s", strings.Join(lacks, ", "), r.name, r.Per)
	}
	if spare := r.spare(f); len(spare) > 0 {
		return nil, fmt.Errorf("%s: the rule %q is per %s, so others would be reset too", strings.Join(spare, ", "), r.name, r.Per)
	}
	of, _ := l.asker(r, f)
	b := &batch{}
	for _, k := range r.limited(&of) {
		if !query.Has("kind") || query.Get("kind") == k.String() {
			b.add(r, of, k)
		}
	}
	if len(b.claims) == 0 {
		return nil, fmt.Errorf("kind: %q is none of what the rule %q limits: %v", query.Get("kind"), r.name, r.limited(&of))
	}
	return b, nil
}

// limited returns the kinds of limits that the rule has for the asker.
func (r *rule) limited(of *asker) (list []kind) {
	sizes := r.sizes(of)
	for k := range kinds {
		if sizes[k].n > 0 {
			list = append(list, k)
		}
	}
	return list
}
