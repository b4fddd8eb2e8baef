package failover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// A fault is what happens to operations on a store.
type fault int

const (
	well   fault = iota
	frozen       // nothing is done, and no answer comes
	mute         // it is done, and no answer comes
	broken       // an error comes at once; what was asked was not done
	absent       // nobody can be reached
	unable       // it says at once that it did nothing
)

// errBroken is what a broken store answers.
var errBroken = errors.New("the store is broken")

// A store is a shared one in memory, with faults. Its clock is five seconds
// ahead.
type store struct {
	mu     sync.Mutex
	fault  fault
	only   string                   // the operation that has the fault; all, if it is empty
	slow   map[string]time.Duration // how long operations take
	mem    *ledger.Memory
	epoch  int
	leases map[key]map[string]time.Time // until when each flight is held
	alive  map[string]time.Time         // until when each replica lives
	most   map[key]int                  // flights at once
	calls  map[string]int
}

const (
	skew     = 5 * time.Second
	leaseFor = 30 * time.Second
)

func newStore() *store {
	s := &store{calls: map[string]int{}, most: map[key]int{}}
	s.lose()
	return s
}

func (s *store) now() time.Time { return time.Now().Add(skew) }

// lose has the store lose its data.
func (s *store) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	s.mem = ledger.NewMemory(s.now)
	s.leases, s.alive = map[key]map[string]time.Time{}, map[string]time.Time{}
}

func (s *store) set(f fault) { s.setOnly(f, "") }

// setOnly has the fault concern one operation.
func (s *store) setOnly(f fault, op string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.only = f, op
}

// called returns how often the store was asked, and forgets it.
func (s *store) called(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.calls[op]
	s.calls[op] = 0
	return n
}

// do does something as the fault has it.
func (s *store) do(ctx context.Context, op string, f func()) error {
	s.mu.Lock()
	s.calls[op]++
	slow, how := s.slow[op], s.fault
	if s.only != "" && s.only != op {
		how = well
	}
	if how == well || how == mute {
		f()
	}
	s.mu.Unlock()
	switch how {
	case well:
		time.Sleep(slow)
		return nil
	case broken:
		return errBroken
	case unable:
		return fmt.Errorf("%w: %w", errBroken, ledger.ErrUndone)
	case absent:
		return &net.OpError{Op: "dial", Err: errBroken}
	}
	<-ctx.Done()
	return ctx.Err()
}

// A door is the store as one replica has it.
type door struct {
	*store
	name string
}

func (d door) Take(ctx context.Context, t *ledger.Ticket) (ok bool, err error) {
	work := &ledger.Ticket{Lease: t.Lease, Claims: slices.Clone(t.Claims)}
	if err := d.do(ctx, "take", func() { ok = d.take(d.name, work) }); err != nil {
		return false, err
	}
	copy(t.Claims, work.Claims)
	return ok, nil
}

// take decides: rates and budgets in Memory, flights by their leases.
func (s *store) take(name string, t *ledger.Ticket) bool {
	rest := &ledger.Ticket{}
	ok := true
	for i := range t.Claims {
		c := &t.Claims[i]
		if c.Counter.Kind != ledger.KindFlight {
			rest.Claims = append(rest.Claims, *c)
			continue
		}
		c.Used, c.Wait = int64(s.flights(keyOf(c))), 0
		if c.Used >= c.Limit {
			c.Wait, ok = ledger.Unknown, false
		}
	}
	if ok {
		ok = s.mem.Take(rest)
	} else {
		s.mem.Read(rest.Claims)
	}
	for i := range t.Claims {
		c := &t.Claims[i]
		if c.Counter.Kind != ledger.KindFlight {
			*c, rest.Claims = rest.Claims[0], rest.Claims[1:]
		} else if c.Taken = ok; ok {
			c.Used++
			s.lease(keyOf(c), name, t.Lease)
		}
		c.Mode = ledger.ModeShared
	}
	return ok
}

func member(name string, lease uint64) string { return fmt.Sprint(name, ":", lease) }

func (s *store) lease(k key, name string, lease uint64) {
	if s.leases[k] == nil {
		s.leases[k] = map[string]time.Time{}
	}
	s.leases[k][member(name, lease)] = s.now().Add(leaseFor)
	s.most[k] = max(s.most[k], s.flights(k))
}

// flights returns how many are held.
func (s *store) flights(k key) int {
	for m, until := range s.leases[k] {
		if !s.now().Before(until) {
			delete(s.leases[k], m)
		}
	}
	return len(s.leases[k])
}

func (d door) Settle(ctx context.Context, tickets []*ledger.Ticket) error {
	return d.do(ctx, "settle", func() {
		for _, t := range tickets {
			work := &ledger.Ticket{Lease: t.Lease}
			for _, c := range t.Claims {
				if c.Mode = ledger.ModeMemory; c.Counter.Kind == ledger.KindFlight {
					delete(d.leases[keyOf(&c)], member(d.name, t.Lease))
				} else if c.Taken {
					work.Claims = append(work.Claims, c)
				}
			}
			d.mem.Settle(work)
		}
	})
}

func (d door) Read(ctx context.Context, claims []ledger.Claim) error {
	return d.do(ctx, "read", func() { d.read(claims) })
}

// read fills in how the counters stand.
func (s *store) read(claims []ledger.Claim) {
	s.mem.Read(claims)
	for i := range claims {
		if c := &claims[i]; c.Counter.Kind == ledger.KindFlight {
			c.Used = int64(s.flights(keyOf(c)))
		}
	}
}

func (d door) Reset(ctx context.Context, claims []ledger.Claim) error {
	return d.do(ctx, "reset", func() { d.mem.Reset(claims) })
}

func (d door) Beat(ctx context.Context, ttl time.Duration) (b ledger.Beat, err error) {
	err = d.do(ctx, "beat", func() {
		d.alive[d.name] = d.now().Add(ttl)
		b = ledger.Beat{Now: d.now(), Epoch: fmt.Sprint(d.epoch)}
		for name, until := range d.alive {
			if !d.now().Before(until) {
				delete(d.alive, name)
				continue
			}
			b.Live++
			if name < d.name {
				b.Rank++
			}
		}
	})
	return b, err
}

func (d door) Leave(ctx context.Context) error {
	return d.do(ctx, "leave", func() { delete(d.alive, d.name) })
}

func (d door) Renew(ctx context.Context, held []ledger.Held) error {
	return d.do(ctx, "renew", func() {
		for _, h := range held {
			for _, lease := range h.Leases {
				d.lease(key{counter: h.Counter.Name, subject: h.Subject}, d.name, lease)
			}
		}
	})
}

func (d door) Raise(ctx context.Context, claims []ledger.Claim) error {
	return d.do(ctx, "raise", func() {
		for _, c := range claims {
			now := c
			d.mem.Read([]ledger.Claim{now})
			stood := []ledger.Claim{now}
			d.mem.Read(stood)
			if c.Counter.Kind == ledger.KindRate {
				c.Used -= max(d.now().UnixMicro()-c.At, 0)
			}
			if c.Used > stood[0].Used {
				d.mem.Learn([]ledger.Claim{c})
			}
		}
	})
}

// stands returns what the store says is used of the claim's counter.
func (s *store) stands(c ledger.Claim) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []ledger.Claim{c}
	s.read(all)
	return all[0].Used
}
