package limit

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/holysheep/relay/internal/tree"
)

// Words says in plain sentences, one thing in each, what the limits are and what
// happens at them. The README says the same.
func (s Settings) Words() []string {
	words := []string{"Any number of requests may be in flight in this replica."}
	if s.MaxInFlight > 0 {
		words[0] = fmt.Sprintf("At most %d requests are in flight in this replica.", s.MaxInFlight)
	}
	names := slices.Sorted(maps.Keys(s.Rules))
	for _, name := range names {
		words = append(words, s.Rules[name].words(name)...)
	}
	if len(names) > 0 {
		words = append(words, "A request that all rules let through takes of each; one that is refused, by 429 and the rule's name, takes of none.")
	}
	words = append(words, s.settlingWords()...)
	return append(words, s.downWords(names)...)
}

// words says what the rule lets through, and what others are let through in its
// place.
func (r Rule) words(name string) []string {
	about := ""
	if len(r.Models) > 0 {
		about = ", of requests for " + tree.Hide("", strings.Join(r.Models, ", "))
	}
	kept := r.lifted()
	words := []string{fmt.Sprintf("%s%s%s: %s.", name, r.whom(), about, strings.Join(kept.parts(), "; "))}
	if r.Shadow {
		words[0] += " It only counts and reports: it refuses nothing."
	}
	for _, table := range []struct {
		of   string
		from map[string]Override
	}{{"client", r.Clients}, {"group", r.Groups}} {
		for _, who := range slices.Sorted(maps.Keys(table.from)) {
			parts := r.over(table.from[who]).parts()
			if len(parts) == 0 {
				parts = []string{"no limit"}
			}
			words = append(words, fmt.Sprintf("%s, for the %s %s: %s.", name, table.of, tree.Hide("", who), strings.Join(parts, "; ")))
		}
	}
	return words
}

// whom says who shares the rule.
func (r Rule) whom() string {
	switch r.Per {
	case perGlobal:
		return ", for all together"
	case perClientModel:
		return ", for each client and model"
	case perHeader:
		return ", for each value of " + tree.Hide("", http.CanonicalHeaderKey(r.Header))
	}
	return ", for each " + r.Per
}

// parts says what the rule limits, one thing in each.
func (r Rule) parts() (parts []string) {
	rate := func(t Tokens, what string) {
		if t.Limit == 0 {
			return
		}
		text := fmt.Sprintf("%d %s in %s", t.Limit, what, tree.Short(orMinute(t.Period)))
		if t.Burst > 0 && t.Burst != t.Limit {
			text += fmt.Sprintf(", %d of them at once", t.Burst)
		}
		parts = append(parts, text)
	}
	rate(Tokens{Limit: r.Requests, Period: r.Period, Burst: r.Burst}, "requests")
	rate(r.Tokens, "tokens")
	rate(r.InputTokens, "tokens of questions")
	rate(r.OutputTokens, "tokens of answers")
	if r.InFlight > 0 {
		text := fmt.Sprintf("%d in flight", r.InFlight)
		if r.Queue.Size > 0 && !r.Shadow {
			text += fmt.Sprintf(", beyond which %d in each replica wait for up to %s, clients by turns", r.Queue.Size, tree.Short(r.Queue.MaxWait))
		}
		parts = append(parts, text)
	}
	if r.Budget.USD > 0 {
		parts = append(parts, dollars(nano(r.Budget.USD))+" US dollars "+r.Budget.span())
	}
	return parts
}

// span says over which time the budget goes.
func (b Budget) span() string {
	switch b.Per {
	case budgetRolling:
		return "in the last " + tree.Short(b.Length)
	case budgetMonth:
		return "in a month of the calendar (UTC)"
	}
	return "in a day of the calendar (UTC)"
}

// settlingWords says how tokens and money are counted, where a rule does.
func (s Settings) settlingWords() (words []string) {
	tokens, money := false, false
	for _, r := range s.Rules {
		money = money || r.Budget.USD > 0
		tokens = tokens || money || r.Tokens.Limit+r.InputTokens.Limit+r.OutputTokens.Limit > 0
	}
	if tokens {
		counts := map[string]string{
			brokenPartial: "what had come", brokenReserved: "the whole estimate", brokenFree: "nothing",
		}[s.OnBroken]
		words = append(words, "Tokens and money are taken by an estimate when a request begins, and corrected by the answer's use; of an answer that breaks off "+counts+" counts.")
	}
	switch {
	case money && s.Unpriced == unpricedFree:
		words = append(words, "A request for a model without a price takes nothing of a budget.")
	case money:
		words = append(words, "A request for a model without a price is refused where a rule with a budget is about it.")
	}
	return words
}

// downWords says what becomes of the rules while Redis cannot be asked, but for
// shadows, which refuse nothing.
func (s Settings) downWords(names []string) (words []string) {
	by := map[string][]string{}
	for _, name := range names {
		if s.Rules[name].Shadow {
			continue
		}
		down := cmp.Or(s.Rules[name].OnStoreDown, downLocal)
		by[down] = append(by[down], name)
	}
	for _, down := range []struct{ value, what, then string }{
		{downLocal, "each replica holds to its share of", ": to nothing, by 429 limits_unavailable, as long as it has never reached it"},
		{downOpen, "everything passes", ""},
		{downClosed, "nothing passes", ""},
	} {
		if len(by[down.value]) > 0 {
			words = append(words, fmt.Sprintf("Where replicas share a Redis, and it cannot be asked, %s %s%s.", down.what, strings.Join(by[down.value], ", "), down.then))
		}
	}
	return words
}
