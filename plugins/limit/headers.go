package limit

import (
	"strconv"
	"time"

	"github.com/holysheep/relay/plugins"
)

// The names of the headers, as [net/http] spells them, which saves spelling
// them anew for every request. On the wire case means nothing.
const (
	openAILimit     = "X-Ratelimit-Limit-Requests"
	openAIRemaining = "X-Ratelimit-Remaining-Requests"
	openAIReset     = "X-Ratelimit-Reset-Requests"
	plainLimit      = "X-Ratelimit-Limit"
	plainRemaining  = "X-Ratelimit-Remaining"
	plainReset      = "X-Ratelimit-Reset"
)

// tell puts how the request stands into the headers of whatever answer the
// call gets. OpenAI's speak of the most pressing rate, and the plain ones of
// the rule that refused the request or else of that rate. Where no rule has a
// rate, both speak of what is in flight.
func (l *limiter) tell(call *plugins.Call, d decision) {
	if s := d.openAI(); l.headers.OpenAI && s.rule != nil {
		call.SetHeader(openAILimit, strconv.FormatInt(s.limit, 10))
		call.SetHeader(openAIRemaining, strconv.FormatInt(s.remaining, 10))
		call.SetHeader(openAIReset, up(s.reset, time.Millisecond).String())
	}
	if s := d.plain(); l.headers.Plain && s.rule != nil {
		call.SetHeader(plainLimit, strconv.FormatInt(s.limit, 10))
		call.SetHeader(plainRemaining, strconv.FormatInt(s.remaining, 10))
		call.SetHeader(plainReset, strconv.FormatInt(count(s.reset, time.Second), 10))
	}
}

// openAI returns the standing that OpenAI's headers tell.
func (d decision) openAI() standing {
	if d.rate.rule != nil {
		return d.rate
	}
	return d.flight
}

// plain returns the standing that the plain headers tell.
func (d decision) plain() standing {
	if d.refused() {
		s, _ := d.refusal()
		return s
	}
	return d.openAI()
}

// up rounds d up to whole units.
func up(d, unit time.Duration) time.Duration { return time.Duration(count(d, unit)) * unit }

// count returns how many units d lasts, the last one whole.
func count(d, unit time.Duration) int64 { return int64((d + unit - 1) / unit) }
