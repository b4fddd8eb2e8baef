package cache_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestEqualAsksShareOneCall(t *testing.T) {
	for name, body := range map[string]string{"unary": greedy, "streamed": greedyStream} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &talk{events: chunks(10), pause: time.Second}
				rt := caching(t, u, nil)
				all := many(50, asker{body: body})
				for i, a := range all {
					a.late = time.Duration(i) * 10 * time.Millisecond
				}
				together(t, rt, all...)
				want := map[string]int{"MISS": 1, "COALESCED": 49}
				for _, a := range all {
					want[a.cache]--
					if a.err != nil || a.got != all[0].got || a.got == "" {
						t.Errorf("an asker got %q, %v, want all of it", a.got, a.err)
					}
				}
				if want["MISS"] != 0 || want["COALESCED"] != 0 {
					t.Errorf("results are off by %v", want)
				}
				quiet(t, u, 1)
				late := &asker{body: body}
				if together(t, rt, late); late.cache != "HIT" || late.got != all[0].got {
					t.Errorf("a later asker got %s %q, want a hit", late.cache, late.got)
				}
			})
		})
	}
}

// Who comes later gets what has come so far and then each event as it comes.
func TestFollowersGetEventsAsTheyCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &talk{events: chunks(10), pause: time.Second}
		first, later := &asker{body: greedyStream}, &asker{body: greedyStream, late: 5500 * time.Millisecond}
		together(t, caching(t, u, nil), first, later)
		if first.got != strings.Join(u.events, "") || later.got != first.got {
			t.Errorf("they got %d and %d bytes, want all", len(first.got), len(later.got))
		}
		last := len(later.arrived) - 1
		if later.arrived[0] != 5500*time.Millisecond || later.arrived[last] != first.arrived[len(first.arrived)-1] || last < 5 {
			t.Errorf("pieces came at %v, want the first at once and the last with the other's", later.arrived)
		}
		quiet(t, u, 1)
	})
}

// The one that began it leaves: the others get the whole answer, and another one
// pays.
func TestTheLeaderLeaves(t *testing.T) {
	for _, body := range []string{greedy, greedyStream} {
		synctest.Test(t, func(t *testing.T) {
			u := &talk{events: chunks(10), pause: time.Second}
			leader := &asker{body: body, leave: 500 * time.Millisecond}
			if body == greedyStream {
				leader.leave = 3500 * time.Millisecond
			}
			heirs := many(3, asker{body: body, late: 100 * time.Millisecond})
			together(t, caching(t, u, nil), append([]*asker{leader}, heirs...)...)
			if !errors.Is(leader.err, context.Canceled) {
				t.Errorf("who left got %v, want %v", leader.err, context.Canceled)
			}
			paid := 0
			for _, a := range heirs {
				call := plugins.CallOf(a.req.Context())
				paid += call.Trail.Attempts()
				if a.err != nil || a.got != heirs[0].got || a.cache != "COALESCED" {
					t.Errorf("an heir got %s, %v, %d bytes", a.cache, a.err, len(a.got))
				}
				if used, saved := call.Usage().Output, call.Saved().Output; used+saved != 20 {
					t.Errorf("an heir used %d and saved %d, want one of them to be 20", used, saved)
				}
			}
			if left := plugins.CallOf(leader.req.Context()).Trail.Attempts(); paid != 1 || left != 0 {
				t.Errorf("%d of those who stayed pay and %d who left, want 1 and 0", paid, left)
			}
			quiet(t, u, 1)
		})
	}
}

// When the last one leaves, the upstream hears of it, and what was used until
// then is known when that one's request has ended.
func TestTheLastOneLeaves(t *testing.T) {
	for _, body := range []string{greedy, greedyStream} {
		synctest.Test(t, func(t *testing.T) {
			u := &talk{events: chunks(10), pause: time.Second}
			all := []*asker{
				{body: body, leave: 700 * time.Millisecond},
				{body: body, late: 100 * time.Millisecond, leave: 800 * time.Millisecond},
			}
			if body == greedyStream {
				all[0].leave, all[1].leave = 3500*time.Millisecond, 4500*time.Millisecond
			}
			begin := time.Now()
			together(t, caching(t, u, nil), all...)
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("the call went on for %s after all had left", took)
			}
			quiet(t, u, 1)
			if body == greedyStream {
				if got := plugins.CallOf(all[1].req.Context()).Usage().Source; got != plugins.UsagePartial {
					t.Errorf("the use of the last one is %q, want partial", got)
				}
			}
		})
	}
}

// Clients leave as soon as they have read [DONE]. The stream is stored all the
// same, and the upstream is given a moment to end it.
func TestAClientLeavesAtTheEnd(t *testing.T) {
	tests := []struct {
		name   string
		linger time.Duration
		want   string // the next one
		takes  time.Duration
	}{
		{"it ends at once", 0, "HIT", 0},
		{"it ends soon", 500 * time.Millisecond, "HIT", 500 * time.Millisecond},
		{"it does not end", time.Hour, "MISS", time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &talk{events: chunks(3), linger: tt.linger}
				rt := caching(t, u, nil)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				req := plugintest.Request(t, greedyStream)
				res, err := rt.RoundTrip(req.WithContext(plugins.WithCall(ctx, plugins.CallOf(req.Context()))))
				if err != nil {
					t.Fatal(err)
				}
				text, buf := "", make([]byte, 64)
				for !strings.HasSuffix(text, "[DONE]\n\n") {
					n, err := res.Body.Read(buf)
					text += string(buf[:n])
					if err != nil {
						break
					}
				}
				begin := time.Now()
				cancel()
				_ = res.Body.Close()
				synctest.Wait()
				if took := time.Since(begin); took > tt.takes {
					t.Errorf("its leaving took %s, want %s at most", took, tt.takes)
				}
				time.Sleep(2 * time.Second)
				quiet(t, u, 1)
				if got := ask(t, rt, plugintest.Request(t, greedyStream)).cache; got != tt.want {
					t.Errorf("the next one is a %s, want a %s", got, tt.want)
				}
			})
		})
	}
}

// When the body of who leaves last is closed, what was used until then is known,
// also where the request has ended before: a limit outside counts it.
func TestWhatWasUsedIsKnownWhenOneHasLeft(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			u := &talk{events: chunks(30), pause: time.Second}
			rt := caching(t, u, nil)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req := plugintest.Request(t, greedyStream)
			call := plugins.CallOf(req.Context())
			res, err := rt.RoundTrip(req.WithContext(plugins.WithCall(ctx, call)))
			if err != nil {
				t.Fatal(err)
			}
			var known plugins.UsageSource
			plugins.Watch(res, nil, func(bool) { known = call.Usage().Source })
			if _, err := res.Body.Read(make([]byte, 10)); err != nil {
				t.Fatal(err)
			}
			cancel()
			_ = res.Body.Close()
			if known != plugins.UsagePartial {
				t.Errorf("the use is %q, want partial", known)
			}
		})
	}
}
