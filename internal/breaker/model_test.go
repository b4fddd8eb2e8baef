package breaker

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A model is a breaker as it would be written without a thought of its cost: it
// remembers every report since it last turned, and the whole of each request.
type model struct {
	rules   Rules
	start   time.Time
	reports []report
	out     bool
	turns   int
	since   time.Time
	until   time.Time
	length  time.Duration
	times   int
	trial   *request // the one that was let through last, if it may still report
	lease   time.Time
}

type report struct {
	slot int64
	bad  bool
}

type request struct {
	turn   int
	ticket Ticket // of the real one
}

func (m *model) slot(now time.Time) int64 { return int64(now.Sub(m.start) / (m.rules.Window / slots)) }

func (m *model) state(now time.Time) State {
	switch {
	case !m.out:
		return Healthy
	case now.Before(m.until):
		return Ejected
	case m.trial != nil && now.Before(m.lease):
		return OnTrial
	}
	return Due
}

func (m *model) take(now time.Time) (*request, bool) {
	r := &request{turn: m.turns}
	state := m.state(now)
	if state == Due {
		m.trial, m.lease = r, now.Add(max(m.length, m.rules.Ejection))
	}
	return r, state == Healthy || state == Due
}

func (m *model) turn(now time.Time, out bool) {
	if m.out != out {
		m.since = now
	}
	m.out, m.reports, m.trial = out, nil, nil
	m.turns++
}

func (m *model) answered(now time.Time, r *request) {
	if m.out && r.turn == m.turns {
		m.until = time.Time{}
		m.turn(now, false)
		r.turn = m.turns
	}
}

func (m *model) success(now time.Time, r *request) {
	if !m.out && r.turn == m.turns {
		m.reports = append(m.reports, report{m.slot(now), false})
	}
}

func (m *model) forget(r *request) {
	if m.trial == r {
		m.trial = nil
	}
}

func (m *model) failure(now time.Time, r *request, wait time.Duration) {
	trial := m.out && m.trial == r
	wait = min(wait, m.rules.MaxEjection)
	switch {
	case wait > 0 && m.out && !trial:
		if end := now.Add(wait); end.After(m.until) {
			m.until = end
		}
	case wait > 0:
		m.eject(now, wait)
	case trial:
		m.eject(now, m.next())
	case !m.out && r.turn == m.turns:
		m.reports = append(m.reports, report{m.slot(now), true})
		if m.tooMany(now) {
			if now.Sub(m.since) >= max(m.rules.Window, m.length) {
				m.times = 0
			}
			m.eject(now, m.next())
		}
	}
}

func (m *model) next() time.Duration {
	m.times++
	return min(m.rules.Ejection<<(m.times-1), m.rules.MaxEjection)
}

func (m *model) eject(now time.Time, length time.Duration) {
	m.length, m.until = length, now.Add(length)
	m.turn(now, true)
}

func (m *model) tooMany(now time.Time) bool {
	inRow, all, bad := 0, 0, 0
	for _, r := range m.reports {
		if inRow++; !r.bad {
			inRow = 0
		}
		if r.slot > m.slot(now)-slots {
			all++
			if r.bad {
				bad++
			}
		}
	}
	return inRow >= m.rules.Failures && m.rules.Failures > 0 ||
		m.rules.ErrorPercent > 0 && all >= m.rules.MinRequests && bad*100 >= all*m.rules.ErrorPercent
}

// TestTheBreakerDoesAsTheModel sends requests that end in any way and in any
// order, and compares every decision.
func TestTheBreakerDoesAsTheModel(t *testing.T) {
	seen := map[State]int{}
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		r := Rules{
			Failures: random.IntN(5), ErrorPercent: random.IntN(101), MinRequests: 1 + random.IntN(10),
			Window: time.Duration(1+random.IntN(20)) * time.Second, Ejection: time.Duration(1+random.IntN(3000)) * time.Millisecond,
		}
		r.MaxEjection = r.Ejection * time.Duration(1+random.IntN(10))
		now := time.Unix(0, 0)
		b, m := New(now, r), &model{rules: r, start: now, since: now}
		var open []*request
		good := random.IntN(4)
		for step := range 500 {
			now = now.Add(time.Duration(random.Int64N(1 << random.IntN(32)))) // up to 4 s
			if len(open) == 0 || random.IntN(2) == 0 {
				want, wantFits := m.take(now)
				var fits bool
				if want.ticket, fits = b.Take(now); fits != wantFits {
					t.Fatalf("seed %d, step %d: let through %t, want %t", seed, step, fits, wantFits)
				}
				open = append(open, want)
			} else {
				i := random.IntN(len(open))
				end(b, m, open[i], now, random, good)
				open = append(open[:i], open[i+1:]...)
			}
			state, left := b.Look(now)
			if want := m.state(now); state != want || left != max(m.until.Sub(now), 0) {
				t.Fatalf("seed %d, step %d: state %d for %s, want %d until %s", seed, step, state, left, want, m.until)
			}
			seen[state]++
		}
	}
	if len(seen) != 4 {
		t.Errorf("saw the states %v, want all four", seen)
	}
}

// end reports what became of a request, of four the given number well.
func end(b *Breaker, m *model, r *request, now time.Time, random *rand.Rand, good int) {
	switch {
	case random.IntN(10) == 0:
		b.Forget(r.ticket)
		m.forget(r)
	case random.IntN(4) < good:
		r.ticket, _ = b.Answered(now, r.ticket)
		b.Success(now, r.ticket)
		m.answered(now, r)
		m.success(now, r)
	default:
		var wait time.Duration
		if random.IntN(10) == 0 {
			wait = time.Duration(random.IntN(20_000)) * time.Millisecond
		}
		b.Failure(now, r.ticket, wait)
		m.failure(now, r, wait)
	}
}
