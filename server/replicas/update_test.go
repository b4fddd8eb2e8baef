package replicas

import (
	"fmt"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/redistest"
)

// While an update rolls on, some relays have the old numbers of a rule and some
// the new ones. Nobody is let through more often than by the larger of the two.
func TestTwoNumbersOfOneRule(t *testing.T) {
	s := redistest.Start(t)
	up := serve(t, 20*time.Millisecond)
	var relays []*relay
	for _, n := range []int{20, 40} {
		relays = append(relays, spawnOne(t, configure(t, aboutRedis(s), up.URL, patient+fmt.Sprintf("    rules:\n"+
			"      each: {per: client, requests: %d, period: 1s, clients: {cy: {requests: 0}, dee: {requests: 0}}}\n"+
			"      bursts: {per: client, requests: 20, period: 1s, burst: %[1]d, clients: {ada: {requests: 0}, bob: {requests: 0}, dee: {requests: 0}}}\n"+
			"      held: {per: client, in_flight: %[2]d, clients: {ada: {in_flight: 0}, bob: {in_flight: 0}, cy: {in_flight: 0}}}\n", n, n/10))))
	}
	watched := watchHolders(t, s.Client(), 0)
	all := load{relays: relays, connections: 80, body: question, think: 10 * time.Millisecond}.run(t.Context(), t, 5*time.Second)
	t.Log(tally(all))
	for _, client := range clients[:2] {
		exact(t, client, passed(all, client), 40, time.Second/40)
		smaller := bucket{burst: 20, second: 20, each: 1}
		smaller.ample(t, client, of(all, client), func(asked) float64 { return 1 })
	}
	exact(t, "cy", passed(all, "cy"), 40, time.Second/20)
	if n := most(watched()); n > 4 || n < 2 {
		t.Errorf("%d held a slot at one time, want at most 4, and nearly as many", n)
	}
}
