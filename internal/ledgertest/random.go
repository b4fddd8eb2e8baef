package ledgertest

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holysheep/relay/internal/ledger"
)

// model draws random sequences of all that may happen to a store, and
// compares every decision and every number with the model.
func (s suite) model(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		clock := NewClock(starts().Draw(rt, "start"))
		w := &walk{T: rt, store: s.open(t, clock), clock: clock, model: newModel(s.lease), counters: counters()}
		steps := []func(){w.take, w.settle, w.move, w.take, w.settle, w.move, w.read, w.take, w.reset, w.flush}
		if s.lease > 0 {
			steps = append(steps, w.crash)
		}
		for range rapid.IntRange(30, 150).Draw(rt, "steps") {
			steps[rapid.IntRange(0, len(steps)-1).Draw(rt, "step")]()
		}
	})
}

// starts yields noon, and instants shortly before something of the calendar ends.
func starts() *rapid.Generator[time.Time] {
	return rapid.SampledFrom([]time.Time{
		noon(),
		time.Date(2028, time.February, 28, 23, 59, 50, 0, time.UTC),
		time.Date(2028, time.February, 29, 23, 59, 59, 999_999_000, time.UTC),
		time.Date(2027, time.December, 31, 23, 0, 0, 0, time.UTC),
	})
}

// A walk is one random sequence.
type walk struct {
	*rapid.T
	store  Store
	clock  *Clock
	model  *model
	open   []*ledger.Ticket
	leases []uint64

	counters []drawn
}

func (w *walk) move() {
	scale := rapid.SampledFrom([]time.Duration{
		time.Microsecond, time.Millisecond, 100 * time.Millisecond, time.Second, time.Minute, time.Hour, 24 * time.Hour,
	}).Draw(w.T, "scale")
	w.clock.Advance(time.Duration(rapid.Int64Range(0, 20).Draw(w.T, "times")) * scale)
}

func (w *walk) claim(d drawn) ledger.Claim {
	c := ledger.Claim{Counter: d.counter, Limit: rapid.SampledFrom(d.limits).Draw(w.T, "limit"), Cost: 1}
	if d.counter.Kind != ledger.KindFlight {
		c.Cost = rapid.OneOf(
			rapid.Just(int64(0)),
			rapid.Int64Range(1, c.Limit/3+1),
			rapid.Int64Range(1, c.Limit),
			rapid.Just(c.Limit+1),
		).Draw(w.T, "cost")
	}
	if d.counter.Kind == ledger.KindRate {
		c.Pace = rapid.Int64Range(0, 2).Draw(w.T, "pace")
	}
	if d.counter.OfClient {
		c.Subject = rapid.SampledFrom([]ledger.Subject{{A: "ada"}, {A: "bob"}, {A: "ada", B: "gpt-4.1"}}).Draw(w.T, "subject")
	}
	c.Actual, c.Shadow = c.Cost, rapid.IntRange(0, 7).Draw(w.T, "shadow") == 7
	return c
}

// claims draws claims of some of the counters.
func (w *walk) claims(most int) (all []ledger.Claim) {
	some := rapid.SliceOfNDistinct(rapid.IntRange(0, len(w.counters)-1), 1, most, rapid.ID).Draw(w.T, "counters")
	for _, i := range some {
		all = append(all, w.claim(w.counters[i]))
	}
	return all
}

func (w *walk) take() {
	claims := w.claims(5)
	if w.decide(claims) || !rapid.Bool().Draw(w.T, "wait") {
		return
	}
	wait, known := longest(claims)
	if !known {
		return
	}
	w.clock.Advance(micros(wait - 1))
	if w.decide(claims) {
		w.Fatalf("waiting 1µs less than %dµs is enough: %+v", wait, claims)
	}
	w.clock.Advance(time.Microsecond)
	if !w.decide(claims) {
		w.Fatalf("waiting %dµs is not enough: %+v", wait, claims)
	}
}

// longest returns how long to wait for all claims, if that is known.
func longest(claims []ledger.Claim) (wait int64, known bool) {
	for _, c := range claims {
		if c.Shadow {
			continue
		}
		if c.Wait == ledger.Never || c.Wait == ledger.Unknown {
			return 0, false
		}
		wait = max(wait, c.Wait)
	}
	return wait, true
}

// decide has store and model decide on fresh claims, and fills in these.
func (w *walk) decide(claims []ledger.Claim) bool {
	t := &ledger.Ticket{Claims: slices.Clone(claims)}
	taken, err := w.store.Take(t)
	if err != nil {
		w.Fatal(err)
	}
	want := slices.Clone(claims)
	if pass := w.model.take(want, t.Lease, w.clock.Micros()); taken != pass {
		w.Fatalf("taken %t, want %t: %+v", taken, pass, want)
	}
	w.same(t.Claims, want)
	copy(claims, t.Claims)
	if taken {
		if t.Lease == 0 || slices.Contains(w.leases, t.Lease) {
			w.Fatalf("lease %d is not unique", t.Lease)
		}
		w.open, w.leases = append(w.open, t), append(w.leases, t.Lease)
	}
	return taken
}

// same fails the test unless the claims were filled in as the model's.
func (w *walk) same(got, want []ledger.Claim) {
	type filled struct {
		Taken                 bool
		Used, Wait, Reset, At int64
	}
	of := func(c ledger.Claim) filled { return filled{c.Taken, c.Used, c.Wait, c.Reset, c.At} }
	for i := range want {
		if of(got[i]) != of(want[i]) {
			w.Fatalf("%s of %q, cost %d of %d, at %d:\n got %+v\nwant %+v", want[i].Counter.Name, want[i].Subject,
				want[i].Cost, want[i].Limit, w.clock.Micros(), of(got[i]), of(want[i]))
		}
	}
}

// pick takes one of the open tickets out.
func (w *walk) pick() *ledger.Ticket {
	i := rapid.IntRange(0, len(w.open)-1).Draw(w.T, "ticket")
	t := w.open[i]
	w.open = slices.Delete(w.open, i, i+1)
	return t
}

// settle settles one ticket or some.
func (w *walk) settle() {
	var tickets []*ledger.Ticket
	for range min(rapid.IntRange(1, 3).Draw(w.T, "tickets"), len(w.open)) {
		t := w.pick()
		for i := range t.Claims {
			if c := &t.Claims[i]; c.Counter.Kind != ledger.KindFlight {
				c.Actual = rapid.OneOf(rapid.Just(c.Cost), rapid.Int64Range(0, 2*c.Cost+10)).Draw(w.T, "actual")
			}
		}
		w.model.settle(t, w.clock.Micros())
		tickets = append(tickets, t)
	}
	if err := w.store.Settle(tickets...); err != nil {
		w.Fatal(err)
	}
}

// crash forgets a ticket, as a replica does that dies.
func (w *walk) crash() {
	if len(w.open) > 0 {
		w.pick()
	}
}

func (w *walk) read() {
	claims := w.claims(len(w.counters))
	want := slices.Clone(claims)
	for i := range want {
		w.model.look(&want[i], w.clock.Micros())
		claims[i].Taken = true // as of a ticket: to read takes nothing
	}
	if err := w.store.Read(claims); err != nil {
		w.Fatal(err)
	}
	w.same(claims, want)
}

func (w *walk) reset() {
	claims := w.claims(2)
	w.model.reset(claims)
	if err := w.store.Reset(claims); err != nil {
		w.Fatal(err)
	}
}

// flush loses the data, and the tickets with them: what becomes of those is not
// the store's to say.
func (w *walk) flush() {
	if !rapid.Bool().Draw(w.T, "really") {
		return
	}
	w.model, w.open, w.leases = newModel(w.model.lease), nil, nil
	if err := w.store.Flush(); err != nil {
		w.Fatal(err)
	}
}
