package replicas

import (
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/redistest"
)

// inFlight is a rule of all that lets so many be in flight, with a lease that
// tests can wait for.
func inFlight(n int) string {
	return fmt.Sprintf("    store: {deadline: 5s, lease: 3s}\n    rules:\n      all: {per: global, in_flight: %d}\n", n)
}

// The slots of a relay that is killed come back when their leases end: not
// before, and not after.
func TestSlotsOfACrashedRelayComeBack(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	up := serve(t, 0)
	open := up.shut()
	defer open()
	relays := spawn(t, 2, configure(t, aboutRedis(s), up.URL, inFlight(4)))
	ended := fly(t, relays[0], up, 4)
	if a := one(relays[1]); a.status != http.StatusTooManyRequests {
		t.Fatalf("with all slots held a request got %d %s", a.status, a.body)
	}
	time.Sleep(4 * time.Second) // they live longer than one lease
	if err := relays[0].process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended()
	open()
	first, last := leases(t, s.Client())
	for {
		a := one(relays[1])
		if a.status == http.StatusOK {
			if a.done.Before(first) {
				t.Errorf("a slot came back %s before its lease ended", first.Sub(a.done))
			}
			break
		}
		if a.sent.After(last) {
			t.Fatalf("no slot came back when the leases had ended: %d %s", a.status, a.body)
		}
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(time.Until(last))
	redistest.Await(t, "all slots to be free", func() bool { return up.now() == 0 && relays[1].used(t, "all", "in_flight") == "0" })
	open = up.shut()
	defer open()
	ended = fly(t, relays[1], up, 4) // all of them are back
	open()
	ended()
}

// A relay that stands still for longer than its lease has lost its slots, and
// others take them. When it goes on, its requests count again, be there room or
// not, and end as if nothing had been.
func TestARelayThatStoodStillCountsAgain(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	up := serve(t, 0)
	open := up.shut()
	defer open()
	relays := spawn(t, 2, configure(t, aboutRedis(s), up.URL, inFlight(4)))
	first := fly(t, relays[0], up, 4)
	if err := relays[0].process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_, last := leases(t, s.Client())
	time.Sleep(time.Until(last))
	second := fly(t, relays[1], up, 2)
	if err := relays[0].process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	redistest.Await(t, "six to hold a slot", func() bool { return relays[1].used(t, "all", "in_flight") == "6" })
	for _, r := range relays {
		if a := one(r); a.status != http.StatusTooManyRequests {
			t.Errorf("with six of four slots held a request got %d %s", a.status, a.body)
		}
	}
	open()
	for _, a := range append(first(), second()...) {
		if a.status != http.StatusOK {
			t.Errorf("a request that was in flight got %d %s, %v", a.status, a.body, a.err)
		}
	}
	redistest.Await(t, "all slots to be free", func() bool { return relays[1].used(t, "all", "in_flight") == "0" })
}

// fly has n more requests in flight at a relay, and returns what waits for their
// ends.
func fly(t *testing.T, r *relay, up *upstream, n int) (ended func() []asked) {
	t.Helper()
	before := up.now()
	var wg sync.WaitGroup
	all := make([]asked, n)
	for i := range n {
		wg.Go(func() { all[i] = one(r) })
	}
	redistest.Await(t, fmt.Sprintf("%d requests at the upstream", before+n), func() bool { return up.now() == before+n })
	return func() []asked { wg.Wait(); return all }
}

// one sends one request, over a connection of its own.
func one(r *relay) asked {
	return load{relays: []*relay{r}, body: question}.ask(&http.Transport{DisableKeepAlives: true}, 0)
}

// leases returns when the first and the last lease ends. Redis has the clock of
// this machine.
func leases(t *testing.T, client *redis.Client) (first, last time.Time) {
	t.Helper()
	for key := range holders(t, client) {
		all, err := client.ZRangeWithScores(t.Context(), key, 0, -1).Result()
		if err != nil || len(all) == 0 {
			t.Fatalf("%s: %v, %v", key, all, err)
		}
		return time.UnixMicro(int64(all[0].Score)), time.UnixMicro(int64(all[len(all)-1].Score))
	}
	t.Fatal("nobody holds a slot")
	return
}
