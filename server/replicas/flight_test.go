package replicas

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/redistest"
)

// No more hold a slot than there are, over all relays, whoever leaves before
// the answer: in Redis at no time, and at the upstream but for those whose
// leaving it has not seen yet.
func TestSlotsAreExact(t *testing.T) {
	t.Run("four processes", func(t *testing.T) {
		s := redistest.Start(t)
		up := serve(t, 30*time.Millisecond)
		relays := spawn(t, 4, configure(t, aboutRedis(s), up.URL, "    store: {deadline: 5s, lease: 10m}\n"+slotsOfAll))
		client := s.Client()
		watched := watchHolders(t, client, 0)
		slotsAreExact(t, up, relays, 8*time.Second)
		if held := most(watched()); held != slots {
			t.Errorf("%d held a slot in Redis at one time, want at most %d, and as many in the end", held, slots)
		}
		redistest.Await(t, "all slots to be free", func() bool { return len(holders(t, client)) == 0 })
	})
	t.Run("alone", func(t *testing.T) {
		up := serve(t, 30*time.Millisecond)
		slotsAreExact(t, up, spawn(t, 1, configure(t, "", up.URL, slotsOfAll)), 5*time.Second)
	})
}

const (
	slots      = 12
	slotsOfAll = "    rules:\n      all: {per: global, in_flight: 12}\n"
)

func slotsAreExact(t *testing.T, up *upstream, relays []*relay, took time.Duration) {
	t.Helper()
	up.leaves = &leavers{}
	all := load{relays: relays, connections: 200, body: question, think: 5 * time.Millisecond, leaves: up.leaves}.
		run(t.Context(), t, took)
	allSlots(t, up, relays)
	up.mu.Lock()
	defer up.mu.Unlock()
	t.Logf("%v; at most %d at the upstream, of whom %d had not left; %d clients left, %d seen there",
		statuses(all), up.most, up.worst, up.leaves.n.Load(), up.left)
	if up.worst > slots {
		t.Errorf("%d whose clients had not left were at the upstream, more than %d", up.worst, slots)
	}
	if len(passed(all, "")) == 0 || statuses(all)[http.StatusTooManyRequests] == 0 || up.left == 0 {
		t.Error("nothing passed, or all did, or nobody left")
	}
}

// allSlots fails if less can be in flight after the load than there are slots, or
// more. During it a slow machine may not fill them.
func allSlots(t *testing.T, up *upstream, relays []*relay) {
	t.Helper()
	redistest.Await(t, "all slots to be free", func() bool { return up.now() == 0 && relays[0].used(t, "all", "in_flight") == "0" })
	open := up.shut()
	defer open()
	ended := fly(t, relays[0], up, slots)
	for _, r := range relays {
		if a := one(r); a.status != http.StatusTooManyRequests {
			t.Errorf("with all slots held a request got %d %s", a.status, a.body)
		}
	}
	open()
	ended()
}

// leavers are clients of whom every fourth leaves before its answer may come:
// half of those after a while, and half once the upstream has their request, for
// on a slow machine hardly any would be there by then. Each request says in its
// body which one it is.
type leavers struct {
	last  atomic.Int64
	going sync.Map // what has the client leave, by the request that the upstream is to have
	gone  sync.Map // the requests whose clients have left
	n     atomic.Int64
}

// begin returns the body of a request with its number, and a context that ends
// when its client leaves.
func (l *leavers) begin(body string) (ctx context.Context, numbered string, end func()) {
	if l == nil {
		return context.Background(), body, func() {}
	}
	number := strconv.FormatInt(l.last.Add(1), 10)
	ctx, cancel := context.WithCancel(context.Background())
	numbered = strings.Replace(body, "{", `{"user":"`+number+`",`, 1)
	leave := func() {
		l.gone.Store(number, true)
		l.n.Add(1)
		cancel()
	}
	switch rand.N(8) {
	case 0:
		timer := time.AfterFunc(rand.N(20*time.Millisecond), leave)
		return ctx, numbered, func() { timer.Stop(); cancel() }
	case 1:
		l.going.Store(number, leave)
		return ctx, numbered, func() { l.going.Delete(number); cancel() }
	}
	return ctx, numbered, cancel
}

// came has the client of the request with the body leave, if it is one that does
// when the upstream has its request, and returns whether it is.
func (l *leavers) came(body string) bool {
	if l == nil {
		return false
	}
	leave, goes := l.going.LoadAndDelete(numberOf(body))
	if goes {
		leave.(func())()
	}
	return goes
}

// left reports whether the client of the request with the body has left.
func (l *leavers) left(body string) bool {
	if l == nil {
		return false
	}
	_, gone := l.gone.Load(numberOf(body))
	return gone
}

// numberOf returns which request it is that has the body.
func numberOf(body string) string {
	_, number, _ := strings.Cut(body, `{"user":"`)
	number, _, _ = strings.Cut(number, `"`)
	return number
}
