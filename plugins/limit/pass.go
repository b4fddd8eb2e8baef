package limit

import (
	"context"
	"net/http"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/plugins"
)

// fewClaims is for how many claims of a request there is room at first: one
// allocation is enough for so many.
const fewClaims = 8

// A part is one limit of a rule that a request is held to.
type part struct {
	rule *rule
	kind kind
	size *size
}

// A pass is one request on its way through the rules: what it claims and then
// holds.
type pass struct {
	ticket ledger.Ticket
	parts  []part // of the claims of the ticket, in the same order
	client string // who asks
	model  string // that was asked for
	price  plugins.Price
	spared []*rule // shadows that would refuse it, since its model has no price

	limiter *limiter // of the answer that is watched
	req     *http.Request
	res     *http.Response

	claims [fewClaims]ledger.Claim
	few    [fewClaims]part
}

func newPass() *pass {
	p := &pass{}
	p.ticket.Claims, p.parts = p.claims[:0], p.few[:0]
	return p
}

// claim adds a claim of so many units.
func (p *pass) claim(of part, subject ledger.Subject, units int64) {
	cost := of.size.cost(of.kind, units)
	p.parts = append(p.parts, of)
	p.ticket.Claims = append(p.ticket.Claims, ledger.Claim{
		Counter: of.rule.counters[of.kind],
		Subject: subject,
		Cost:    cost,
		Limit:   of.size.limit,
		Unit:    of.size.unit,
		Pace:    of.size.pace,
		Shadow:  of.rule.Shadow,
		Down:    of.rule.down,
		Actual:  cost,
	})
}

// take has the ledger decide on what p claims.
func (l *limiter) take(ctx context.Context, p *pass) bool {
	return len(p.ticket.Claims) == 0 || l.ledger.Take(ctx, &p.ticket)
}

// settle gives back what p holds and did not use. p is not to be used after it.
func (l *limiter) settle(p *pass, o *outcome) {
	for i := range p.ticket.Claims {
		if c := &p.ticket.Claims[i]; c.Taken {
			p.parts[i].settle(c, o)
		}
	}
	l.ledger.Settle(&p.ticket)
}
