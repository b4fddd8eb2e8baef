package gcra

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bucket is the plain model: credit in microseconds that grows with time up to
// the depth, and of which each request takes one interval.
type bucket struct {
	rate   Rate
	credit int64
	at     int64
}

func (b *bucket) fill(now int64) {
	b.credit = min(b.rate.depth(), b.credit+now-b.at)
	b.at = now
}

func (b *bucket) wait(n int64) time.Duration {
	if n > b.rate.burst {
		return Never
	}
	return duration(max(n*b.rate.interval-b.credit, 0))
}

func (b *bucket) state(wait time.Duration) State {
	return State{Remaining: b.credit / b.rate.interval, Reset: duration(b.rate.depth() - b.credit), Wait: wait}
}

// TestMemoryDecidesAsTheModel takes from random sets of buckets in random
// sequences, and compares every decision and every state.
func TestMemoryDecidesAsTheModel(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		start := time.Now()
		m, rules := NewMemory(start), make([]*Buckets, 3)
		model := make([][]bucket, len(rules))
		for i := range model {
			rate := rateOf(t, 1+random.Int64N(2000), time.Duration(1+random.IntN(90))*time.Second, 1+random.Int64N(20))
			rules[i] = NewBuckets(rate)
			for range 4 {
				model[i] = append(model[i], bucket{rate: rate, credit: rate.depth()})
			}
		}
		now := int64(0)
		for step := range 400 {
			now += random.Int64N(1 << random.IntN(26)) // up to 67 s
			var claims []Claim
			var asked []*bucket
			for i := range rules {
				if k := random.IntN(5); k < 4 {
					b := &model[i][k]
					claims = append(claims, Claim{Buckets: rules[i], Key: string(rune('a' + k)), N: random.Int64N(4)})
					asked = append(asked, b)
				}
			}
			got := m.Take(start.Add(duration(now)), claims)
			want, states := modelTake(asked, claims, now)
			if got != want || !cmp.Equal(statesOf(claims), states) {
				t.Fatalf("seed %d, step %d: Take = %t, want %t: %s", seed, step, got, want, cmp.Diff(statesOf(claims), states))
			}
		}
	}
}

func modelTake(asked []*bucket, claims []Claim, now int64) (room bool, states []State) {
	room = true
	waits := make([]time.Duration, len(asked))
	for i, b := range asked {
		b.fill(now)
		waits[i] = b.wait(claims[i].N)
		room = room && waits[i] == 0
	}
	for i, b := range asked {
		if room {
			b.credit -= claims[i].N * b.rate.interval
		}
		states = append(states, b.state(waits[i]))
	}
	return room, states
}

func statesOf(claims []Claim) (states []State) {
	for _, c := range claims {
		states = append(states, c.State)
	}
	return states
}

// TestEveryWindowHoldsTheRate asks one bucket for more than it lets through, at
// random instants and just when it said: no window w admits more than
// burst + ⌊w/interval⌋, and all together no less than 99 % of that.
func TestEveryWindowHoldsTheRate(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 2))
		rate := rateOf(t, 1+random.Int64N(100), time.Second, 1+random.Int64N(10))
		start, now := time.Now(), int64(0)
		m, b := NewMemory(start), NewBuckets(rate)
		var admitted []int64
		claims := []Claim{{Buckets: b, N: 1}}
		for range 4000 {
			if m.Take(start.Add(duration(now)), claims) {
				admitted = append(admitted, now)
				now += random.Int64N(rate.interval / 2)
			} else {
				now += claims[0].State.Wait.Microseconds()
			}
		}
		for i, from := range admitted {
			for j, to := range admitted[i:] {
				if got, most := int64(j+1), rate.burst+(to-from)/rate.interval; got > most {
					t.Fatalf("seed %d: %d in %s, at most %d are allowed", seed, got, duration(to-from), most)
				}
			}
		}
		if least := now / rate.interval * 99 / 100; int64(len(admitted)) < least {
			t.Errorf("seed %d: %d admitted, want at least %d", seed, len(admitted), least)
		}
	}
}

// TestWaitIsExact waits as long as was said, and a microsecond less.
func TestWaitIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		rate := rateOf(t, 1+random.Int64N(5000), time.Duration(1+random.IntN(60))*time.Second, 1+random.Int64N(5))
		start := time.Now()
		m, b := NewMemory(start), NewBuckets(rate)
		claims := []Claim{{Buckets: b, N: 1 + random.Int64N(rate.burst)}}
		now := start
		for m.Take(now, claims) {
			now = now.Add(duration(random.Int64N(rate.interval)))
		}
		wait := claims[0].State.Wait
		if m.Take(now.Add(wait-time.Microsecond), claims) {
			t.Fatalf("%+v: waiting 1µs less than %s is enough", rate, wait)
		}
		if !m.Take(now.Add(wait), claims) {
			t.Fatalf("%+v: waiting %s is not enough", rate, wait)
		}
	}
}
