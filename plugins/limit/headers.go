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
	var all sheet
	if s := d.ofRequests(); l.headers.OpenAI && s.rule != nil {
		all.openAI(openAILimit, openAIRemaining, openAIReset, s)
	}
	if s := &d.tokens; l.headers.OpenAI && s.rule != nil {
		all.openAI(tokensLimit, tokensRemaining, tokensReset, s)
	}
	if s := d.plain(); l.headers.Plain && s.rule != nil {
		all.number(plainLimit, s.limit)
		all.number(plainRemaining, s.remaining)
		all.number(plainReset, count(s.reset, time.Second))
	}
	all.tell(call)
	if text := l.modes[d.modes]; l.headers.Mode && text != "" {
		call.SetHeader(modeHeader, text)
	}
}

// A sheet collects headers. Their values are parts of one text, which is all
// that has to be allocated for them.
type sheet struct {
	n      int
	names  [9]string
	ends   [9]int // of the values in text
	length int
	text   [9 * 20]byte // an int64 has at most 20 digits, a duration of whole milliseconds fewer
}

func (s *sheet) openAI(limit, remaining, reset string, of *standing) {
	s.number(limit, of.limit)
	s.number(remaining, of.remaining)
	s.add(reset, append(s.text[:s.length], up(of.reset, time.Millisecond).String()...))
}

func (s *sheet) number(name string, value int64) {
	s.add(name, strconv.AppendInt(s.text[:s.length], value, 10))
}

// add adds a header whose value is what text has become longer by.
func (s *sheet) add(name string, text []byte) {
	s.length = len(text)
	s.names[s.n], s.ends[s.n] = name, s.length
	s.n++
}

// tell sets the headers of a call.
func (s *sheet) tell(call *plugins.Call) {
	text, begin := string(s.text[:s.length]), 0
	for i := range s.n {
		call.SetHeader(s.names[i], text[begin:s.ends[i]])
		begin = s.ends[i]
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
