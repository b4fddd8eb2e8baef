package upstream

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/holysheep/relay/plugins"
)

// ErrBusy says that every upstream that serves the model has as many requests
// as it may have, or had them in this period. Nothing was sent.
var ErrBusy = &plugins.Error{
	Status: http.StatusServiceUnavailable, Type: "upstream_error", Code: "upstreams_busy", Again: true,
	Message: "every upstream for this request is at its limit",
}

// busyWait is how long to wait for a place at an upstream that has as many
// requests in flight as it may have: nobody knows when one of them ends, and a
// second is the least that Retry-After can say.
const busyWait = time.Second

// fewOptions is for how many choices there is room without allocating: upstreams, and
// once more for each model that a request can fall back on.
const fewOptions = 16

// pick chooses whom to ask for which model, takes a place there, and notes it
// on the attempt and the call's trail. See [option.grade] for the order, and
// [draw] for the choice among equals.
func (p *Pool) pick(a *asking) error {
	if err := p.unserved(a.route); err != nil {
		return err
	}
	model, err := p.model(a.call)
	if err != nil {
		return err
	}
	var room [fewOptions]option
	now := p.now()
	options := a.options(now, room[:0], model)
	if len(options) == 0 {
		return p.unknown(a.route, model)
	}
	for {
		i := choose(options)
		if i < 0 {
			a.attempt.SetUnsent()
			return busy(now, options)
		}
		if a.take(now, &options[i]) {
			a.begin(now, &options[i], options)
			return nil
		}
	}
}

// options appends to all whom the request could ask: everybody who serves its
// model, then everybody who serves the first that it falls back on, and so on.
// Nobody who serves the model itself is nobody at all.
func (a *asking) options(now time.Time, all []option, model string) []option {
	var tried []*plugins.Attempt
	if a.call.Trail.Attempts() > 0 {
		tried = a.call.Trail.All()
	}
	all = a.survey(now, all, tried, model, 0)
	if len(all) == 0 {
		return nil
	}
	for i, other := range a.fallbacks(model) {
		all = a.survey(now, all, tried, other, i+1)
	}
	lone := all[len(all)-1].rank == 0
	for i := range all {
		all[i].lone = lone
	}
	return all
}

// survey appends the upstreams that serve the model as they stand.
func (a *asking) survey(now time.Time, all []option, tried []*plugins.Attempt, model string, rank int) []option {
	from, speaks := len(all), wireBit(a.route.Wire)
	for _, m := range a.members {
		if m.wires&speaks == 0 || !m.serves(model) {
			continue
		}
		o := option{m: m, model: model, rank: rank, full: m.state.full(now, &m.set)}
		o.see(m.state.breaker.Look(now))
		if !m.keys.good(now) {
			o.out, o.left = true, plugins.Forever
		}
		for _, t := range tried {
			o.asked = o.asked || o.wasAskedBy(t)
		}
		all = append(all, o)
	}
	spare(all[from:], a.config.Health.MaxEjectedPercent)
	return all
}

// take takes a place at an upstream. If somebody else was faster, it notes that
// on the option and returns false.
func (a *asking) take(now time.Time, o *option) bool {
	s := o.m.state
	ticket, fits := s.breaker.Take(now)
	if !fits && !o.out { // the trial that was due is somebody else's
		o.out = true
		return false
	}
	if !s.enter(now, &o.m.set) {
		s.breaker.Forget(ticket)
		o.full = true
		return false
	}
	a.ticket = ticket
	return true
}

// begin notes the choice.
func (a *asking) begin(now time.Time, o *option, options []option) {
	a.member, a.model = o.m, o.model
	a.key = o.m.keys.pick(now, a.call)
	others := 0
	for i := range options {
		if other := &options[i]; other != o && other.grade() == gradeFresh {
			others++
			if other.m != o.m {
				a.elsewhere++
			}
		}
	}
	if o.rank > 0 {
		o.m.state.meters.fallbacks.Inc()
	}
	a.attempt.Begin(o.m.name, a.key.name, o.model, others)
	a.call.Trail.Begin(a.attempt)
}

// busy returns [ErrBusy] with the time until the first of the options may be
// asked again.
func busy(now time.Time, options []option) error {
	wait := time.Duration(math.MaxInt64)
	for i := range options {
		wait = min(wait, options[i].m.state.room(now, &options[i].m.set))
	}
	return ErrBusy.With(http.Header{
		"Retry-After":    {strconv.FormatInt(int64(math.Ceil(max(wait.Seconds(), 1))), 10)},
		"Retry-After-Ms": {strconv.FormatInt(int64(math.Ceil(wait.Seconds()*1000)), 10)},
	})
}
