package limit

import (
	"strconv"
	"strings"
	"time"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/plugins"
)

// The names of the headers, as [net/http] spells them, which saves spelling
// them anew for every request. On the wire case means nothing.
const (
	openAILimit     = "X-Ratelimit-Limit-Requests"
	openAIRemaining = "X-Ratelimit-Remaining-Requests"
	openAIReset     = "X-Ratelimit-Reset-Requests"
	tokensLimit     = "X-Ratelimit-Limit-Tokens"
	tokensRemaining = "X-Ratelimit-Remaining-Tokens"
	tokensReset     = "X-Ratelimit-Reset-Tokens"
	plainLimit      = "X-Ratelimit-Limit"
	plainRemaining  = "X-Ratelimit-Remaining"
	plainReset      = "X-Ratelimit-Reset"
	modeHeader      = "X-Relay-Limit-Mode"
)

// tell puts how the request stands into the headers of whatever answer the
// call gets. OpenAI's speak of the most pressing rates, and the plain ones of
// the limit that refused the request or else of the rate of requests. Where no
// rule has such a rate, both speak of what is in flight.
func (l *limiter) tell(call *plugins.Call, d *decision) {
	if s := d.ofRequests(); l.headers.OpenAI && s.rule != nil {
		call.SetHeader(openAILimit, strconv.FormatInt(s.limit, 10))
		call.SetHeader(openAIRemaining, strconv.FormatInt(s.remaining, 10))
		call.SetHeader(openAIReset, up(s.reset, time.Millisecond).String())
	}
	if s := &d.tokens; l.headers.OpenAI && s.rule != nil {
		call.SetHeader(tokensLimit, strconv.FormatInt(s.limit, 10))
		call.SetHeader(tokensRemaining, strconv.FormatInt(s.remaining, 10))
		call.SetHeader(tokensReset, up(s.reset, time.Millisecond).String())
	}
	if s := d.plain(); l.headers.Plain && s.rule != nil {
		call.SetHeader(plainLimit, strconv.FormatInt(s.limit, 10))
		call.SetHeader(plainRemaining, strconv.FormatInt(s.remaining, 10))
		call.SetHeader(plainReset, strconv.FormatInt(count(s.reset, time.Second), 10))
	}
	if text := l.modes[d.modes]; l.headers.Mode && text != "" {
		call.SetHeader(modeHeader, text)
	}
}

// ofRequests returns the standing that OpenAI's headers tell of requests.
func (d *decision) ofRequests() *standing {
	if d.requests.rule != nil {
		return &d.requests
	}
	return &d.flight
}

// plain returns the standing that the plain headers tell. Neither a budget, which
// is not of whole units, nor a limit that nobody knows refuses by them.
func (d *decision) plain() *standing {
	if d.refused() && d.refusal.kind != kindBudget && !d.refusal.closed {
		return &d.refusal
	}
	return d.ofRequests()
}

// modeTexts returns what X-Relay-Limit-Mode says, by the set of modes.
func modeTexts() (texts [32]string) {
	for set := range texts {
		var names []string
		for m := ledger.ModeMemory; m <= ledger.ModeClosed; m++ {
			if set&(1<<m) != 0 {
				names = append(names, m.String())
			}
		}
		texts[set] = strings.Join(names, ",")
	}
	return texts
}

// up rounds d up to whole units.
func up(d, unit time.Duration) time.Duration { return time.Duration(count(d, unit)) * unit }

// count returns how many units d lasts, the last one whole.
func count(d, unit time.Duration) int64 { return int64((d + unit - 1) / unit) }
