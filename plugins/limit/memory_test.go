package limit

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// perClientBytes is the most that a client may cost a relay that has seen
// 100,000 of them, for each limit of a rule.
const perClientBytes = 200

// TestMemoryPerClient has 100,000 clients come once, and weighs what is kept of
// them, without their names, which the requests had.
func TestMemoryPerClient(t *testing.T) {
	const clients = 100_000
	names := make([]string, clients)
	for i := range names {
		names[i] = fmt.Sprintf("client-%06d", i)
	}
	for _, tt := range []struct {
		name string
		rule Rule
	}{
		{"requests", Rule{Requests: 60, Period: time.Hour}},
		{"tokens", Rule{Tokens: Tokens{Limit: 1e6, Period: time.Hour}}},
		{"a budget", Rule{Budget: Budget{USD: 1}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.Per = perClient
			l := limits(t, priced(t), with("each", tt.rule))
			ask := plugintest.Request(t, settled)
			q := l.question(ask, plugins.CallOf(ask.Context()))
			before := heap()
			for _, name := range names {
				q.client = name
				p, err := l.ask(&q)
				if err != nil {
					t.Fatal(err)
				}
				if d := l.decide(t.Context(), p); !d.passed {
					t.Fatal("a first request is refused")
				}
				l.slots.release()
				l.settle(p, &outcome{keep: true})
			}
			each := (heap() - before) / clients
			t.Logf("%d bytes a client", each)
			if each > perClientBytes {
				t.Errorf("a client costs %d bytes, want at most %d", each, perClientBytes)
			}
			runtime.KeepAlive(l)
		})
	}
}

// heap returns how many bytes are in use. What is pooled is free after the
// second collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
