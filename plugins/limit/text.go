package limit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// text says for people which limit refuses a request, with its numbers.
func (s *standing) text() string {
	switch {
	case s.closed:
		return fmt.Sprintf("the limit %q cannot be checked at the moment: try again later", s.rule.name)
	case s.kind == kindFlight:
		return fmt.Sprintf("the limit %q is reached (%s)", s.rule.name, s.numbers())
	}
	return fmt.Sprintf("the limit %q is reached (%s): try again in %s", s.rule.name, s.numbers(), up(s.wait, time.Millisecond))
}

// numbers says what the limit lets through.
func (p *part) numbers() string {
	name := strings.ReplaceAll(p.kind.String(), "_", " ")
	switch p.kind {
	case kindFlight:
		return fmt.Sprintf("requests in flight: %d%s", p.size.n, p.rule.whose())
	case kindBudget:
		return fmt.Sprintf("US dollars per %s: %s%s", p.rule.window(), dollars(p.size.n), p.rule.whose())
	}
	return fmt.Sprintf("%s per %s: %d, burst: %d%s", name, p.size.period, p.size.n, p.size.burst, p.rule.whose())
}

// neverText says for people that the request needs more than the limit holds.
func (p *part) neverText(q *question) string {
	var needs string
	switch p.kind {
	case kindTokens:
		needs = fmt.Sprintf("about %d tokens, %d of the question and %d of the answer", q.input+q.output, q.input, q.output)
	case kindInput:
		needs = fmt.Sprintf("about %d tokens of the question", q.input)
	case kindOutput:
		needs = fmt.Sprintf("%d tokens of the answer", q.output)
	default:
		needs = "about " + dollars(q.cost()) + " US dollars"
	}
	return fmt.Sprintf("the request needs %s, more than the limit %q ever lets through at once (%s): %s", needs, p.rule.name, p.numbers(), p.advice(q))
}

// advice says what to do about a request that needs too much.
func (p *part) advice(q *question) string {
	if p.kind == kindInput || q.output == 0 || q.ask.MaxTokens > 0 {
		return "ask for less"
	}
	return fmt.Sprintf("ask for less, or bound the answer by max_tokens, without which it is taken for %d", q.output)
}

// window says over which time the budget of the rule goes.
func (r *rule) window() string {
	switch r.Budget.Per {
	case budgetMonth:
		return budgetMonth
	case budgetRolling:
		return r.Budget.Length.String()
	}
	return budgetDay
}

// dollars returns nanodollars as dollars, with as many places as they have, at
// least two.
func dollars(nano int64) string {
	text := strconv.FormatFloat(float64(nano)/1e9, 'f', 9, 64)
	whole, places, _ := strings.Cut(text, ".")
	for len(places) > 2 && strings.HasSuffix(places, "0") {
		places = places[:len(places)-1]
	}
	return whole + "." + places
}
