package failover

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/holysheep/relay/internal/ledger"
)

// A world is some replicas of one store to which anything happens, and what has
// truly passed.
type world struct {
	t        *rapid.T
	store    *store
	replicas []replica
	begin    time.Time
	open     []flight

	boundaries              int64 // of outages
	lost                    bool  // whether data were
	joined                  int
	tokens, spent, inFlight int64
}

// A flight is what one replica let pass.
type flight struct {
	of     replica
	ticket *ledger.Ticket
}

const (
	worldTokens  = 10 * second // the burst; the rate is a second each second
	worldFlights = 7
	worldBudget  = 1000
)

func (w *world) step() {
	switch rapid.IntRange(0, 19).Draw(w.t, "event") {
	case 0:
		how := rapid.SampledFrom([]fault{frozen, mute, broken, absent}).Draw(w.t, "fault")
		if w.store.fault == well {
			w.boundaries += 2
		}
		w.store.set(how)
	case 1, 2:
		w.store.set(well)
	case 3:
		if w.store.fault != well && rapid.IntRange(0, 3).Draw(w.t, "loses its data") == 0 {
			w.store.lose()
			w.lost = true
		}
	case 4:
		if len(w.replicas) < 6 {
			w.joined++
			w.replicas = append(w.replicas, w.join(rapid.IntRange(0, 9).Draw(w.t, "name")))
		}
	case 5:
		w.leave(rapid.IntRange(0, len(w.replicas)-1).Draw(w.t, "leaves"))
	case 6, 7, 8, 9:
		time.Sleep(time.Duration(rapid.IntRange(0, 4000).Draw(w.t, "pause")) * time.Millisecond)
	case 10, 11, 12, 13:
		if len(w.open) > 0 {
			w.settle(rapid.IntRange(0, len(w.open)-1).Draw(w.t, "settles"))
		}
	default:
		w.take()
	}
}

// dropped returns how many settlements were given up.
func (w *world) dropped() (n int) {
	for _, r := range w.replicas {
		n += r.told().dropped
	}
	return n
}

func (w *world) join(first int) replica {
	seen := &watcher{}
	name := fmt.Sprint(first, "-", w.joined) // anywhere among the ranks
	return replica{Ledger: New(door{store: w.store, name: name}, Options{Observer: seen}), seen: seen}
}

// leave ends a replica in good order: what it still owed would be lost with it
// in an outage, and so would its flights.
func (w *world) leave(i int) {
	r := w.replicas[i]
	if len(w.replicas) == 1 || w.store.fault != well || r.Down() {
		return
	}
	for j, f := range slices.Backward(w.open) {
		if f.of.Ledger == r.Ledger {
			w.settle(j)
		}
	}
	if err := r.Close(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.replicas = append(w.replicas[:i], w.replicas[i+1:]...)
}

func (w *world) take() {
	r := w.replicas[rapid.IntRange(0, len(w.replicas)-1).Draw(w.t, "replica")]
	tokens := tokensClaim(rapid.Int64Range(1, 3).Draw(w.t, "tokens") * second / 2)
	claims := []ledger.Claim{tokens, budgetClaim(rapid.Int64Range(0, 60).Draw(w.t, "money"), worldBudget), flightClaim(worldFlights)}
	claims = claims[:rapid.IntRange(1, 3).Draw(w.t, "claims")]
	for range rapid.IntRange(1, 15).Draw(w.t, "requests") {
		tk := ticket(claims...)
		begin := time.Now()
		ok := r.Take(context.Background(), tk)
		if waited := time.Since(begin); waited > 50*time.Millisecond {
			w.t.Fatalf("a request waited for %s", waited)
		}
		if ok {
			w.open = append(w.open, flight{r, tk})
			for _, c := range tk.Claims {
				w.passes(c, c.Cost)
			}
		}
	}
	w.check()
}

func (w *world) settle(i int) {
	f := w.open[i]
	w.open = append(w.open[:i], w.open[i+1:]...)
	for n := range f.ticket.Claims {
		c := &f.ticket.Claims[n]
		c.Actual = 0
		if c.Counter.Kind != ledger.KindFlight {
			c.Actual = rapid.Int64Range(0, c.Cost).Draw(w.t, "actual")
		}
		w.passes(*c, c.Actual-c.Cost)
	}
	f.of.Settle(f.ticket)
}

func (w *world) passes(c ledger.Claim, n int64) {
	switch c.Counter.Kind {
	case ledger.KindRate:
		w.tokens += n
	case ledger.KindBudget:
		w.spent += n
	default:
		w.inFlight += n
	}
}

// check compares what has passed with what may pass, and what more at the
// boundaries of outages. What is reserved counts until it is settled.
func (w *world) check() {
	most := worldTokens + time.Since(w.begin).Microseconds()
	if w.tokens > most+w.boundaries*worldTokens {
		w.t.Fatalf("%d µs of tokens have passed, of %d and %d boundaries", w.tokens, most, w.boundaries)
	}
	if w.spent > worldBudget*(1+w.boundaries) {
		w.t.Fatalf("%d is spent, of %d and %d boundaries", w.spent, worldBudget, w.boundaries)
	}
	if w.inFlight > worldFlights*(1+min(w.boundaries, 2)) {
		w.t.Fatalf("%d are in flight, of %d and %d boundaries", w.inFlight, worldFlights, w.boundaries)
	}
}

// end lets the store be well again and everything end, and looks whether it
// did.
func (w *world) end() {
	w.store.set(well)
	time.Sleep(10 * time.Second) // of the bubble
	for len(w.open) > 0 {
		w.settle(0)
	}
	time.Sleep(time.Second) // of the bubble
	dropped := w.dropped() > 0
	if dropped {
		time.Sleep(leaseFor) // of the bubble: the flights of what was given up end by themselves
	}
	for i, r := range w.replicas {
		flights := []ledger.Claim{flightClaim(worldFlights)}
		r.mem.Read(flights)
		if n := r.backlog(); n > 0 || r.Down() || flights[0].Used > 0 || len(r.held) > 0 || r.debts.n > 0 {
			w.t.Errorf("replica %d in the end: %d wait, down %t, %d in flight, %d held, %d debts",
				i, n, r.Down(), flights[0].Used, len(r.held), r.debts.n)
		}
	}
	if got := w.store.stands(flightClaim(worldFlights)); got != 0 {
		w.t.Errorf("in the end %d are in flight at the store", got)
	}
	if got := w.store.stands(budgetClaim(0, worldBudget)); !w.lost && !dropped && got < w.spent {
		w.t.Errorf("in the end %d is spent at the store, less than the %d that was", got, w.spent)
	} else if w.boundaries == 0 && got != w.spent {
		w.t.Errorf("in the end %d is spent at the store, without an outage, and %d was", got, w.spent)
	}
	for _, r := range w.replicas {
		_ = r.Close(context.Background())
	}
}

func TestWhateverHappensLittleMorePassesThanMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) { // without Deadline, which no bubble has
			w := &world{t: t, store: newStore(), begin: time.Now()}
			defer func() {
				for _, r := range w.replicas {
					_ = r.Close(context.Background())
				}
			}()
			for i := range rapid.IntRange(1, 4).Draw(t, "replicas") {
				w.replicas = append(w.replicas, w.join(i))
			}
			time.Sleep(time.Duration(rapid.IntRange(0, 10).Draw(t, "seconds")) * time.Second)
			for range rapid.IntRange(10, 150).Draw(t, "steps") {
				w.step()
			}
			w.end()
		})
	})
}
