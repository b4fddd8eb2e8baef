package failover

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/ledger"
)

// A settlement that failed is sent again without what might be done twice to
// the good of a client.
func TestASettlementThatFailed(t *testing.T) {
	tests := []struct {
		name   string
		how    fault
		actual int64
		want   int64 // spent in the end, of 40 that were reserved
	}{
		{"a refund that was not done and may have been is lost", frozen, 10, 40},
		{"a refund that was done is not done again", mute, 10, 10},
		{"a refund that cannot have been done is done", absent, 10, 10},
		{"a debt that was not done is charged", frozen, 50, 50},
		{"a debt that may have been done is charged again", mute, 50, 60},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				r := start(t, s, 1, Options{})[0]
				tk, _ := r.take(t, budgetClaim(40, 100), flightClaim(1))
				s.set(tt.how)
				tk.Claims[0].Actual = tt.actual
				r.Settle(tk)
				time.Sleep(510 * time.Millisecond) // of the bubble: longer than patience
				s.set(well)
				time.Sleep(5 * time.Second) // of the bubble
				if got := s.stands(budgetClaim(0, 100)); got != tt.want {
					t.Errorf("spent %d, want %d", got, tt.want)
				}
				if got := s.stands(flightClaim(1)); got != 0 {
					t.Errorf("in flight %d, want none", got)
				}
			})
		})
	}
}

// The flights of a take that was given up are let go; what it cost stays where
// it may have been taken, and nothing is given back that was not.
func TestATakeWithoutAnswerIsGivenBack(t *testing.T) {
	for name, tt := range map[string]struct {
		how         fault
		spent, held int64
	}{
		"it was done":     {mute, 80, 0}, // once by the store, once by this replica's share
		"it was not done": {frozen, 40, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				r := start(t, s, 1, Options{})[0]
				s.set(tt.how)
				tk, ok := r.take(t, budgetClaim(40, 100), flightClaim(3))
				s.set(well)
				if !ok {
					t.Fatal("refused")
				}
				r.Settle(tk)
				time.Sleep(time.Second) // of the bubble
				if got := s.stands(budgetClaim(0, 100)); got != tt.spent {
					t.Errorf("spent %d, want %d", got, tt.spent)
				}
				if got := s.stands(flightClaim(1)); got != tt.held {
					t.Errorf("in flight %d, want %d", got, tt.held)
				}
			})
		})
	}
}

func TestTheOldestSettlementsAreDroppedFromAFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 1, Options{Backlog: 3})
		r := all[0]
		var open []*ledger.Ticket
		for range 5 {
			tk, _ := r.take(t, budgetClaim(10, 100))
			open = append(open, tk)
		}
		fall(t, s, absent, all)
		for i, tk := range open {
			tk.Claims[0].Actual = int64(i)
			r.Settle(tk)
		}
		if r.told().dropped != 2 || r.told().backlog != 3 {
			t.Errorf("%d were dropped and %d wait, want 2 and 3", r.told().dropped, r.told().backlog)
		}
		rise(t, s, all)
		if got, want := s.stands(budgetClaim(0, 100)), int64(10+10+2+3+4); got != want {
			t.Errorf("spent %d, want %d", got, want)
		}
		if r.told().backlog != 0 {
			t.Errorf("%d still wait", r.told().backlog)
		}
	})
}

// Settlements wait for nothing and go out in batches.
func TestSettlementsGoTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		all := start(t, s, 1, Options{})
		r := all[0]
		var open []*ledger.Ticket
		for range 250 {
			tk, _ := r.take(t, flightClaim(1000))
			open = append(open, tk)
		}
		free, _ := r.take(t, budgetClaim(10, 100))
		s.called("settle")
		r.mu.Lock() // so that all are queued before the goroutine gets to it
		for _, tk := range open {
			delete(r.held, tk.Lease)
			r.push(tk)
		}
		r.mu.Unlock()
		synctest.Wait()
		if got := s.called("settle"); got != 3 {
			t.Errorf("%d batches for 250 settlements, want 3", got)
		}
		r.Settle(free) // came to what was reserved
		synctest.Wait()
		if got := s.called("settle"); got != 0 {
			t.Errorf("the store was asked %d times to change nothing", got)
		}
	})
}

func TestABatchThatAlwaysFailsIsNotInTheWayForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		r := start(t, s, 1, Options{Failures: 100})[0]
		tk, _ := r.take(t, budgetClaim(10, 100))
		tk.Claims[0].Actual = 20
		s.set(broken)
		r.Settle(tk)
		time.Sleep(5 * time.Second) // of the bubble
		if r.told().dropped != 1 || r.backlog() != 0 {
			t.Errorf("%d were dropped and %d wait, want 1 and none", r.told().dropped, r.backlog())
		}
	})
}

func TestCloseSettlesWhatWaits(t *testing.T) {
	tests := []struct {
		name string
		how  fault
		want string // error, "" for none
	}{
		{"the store is up", well, ""},
		{"the store is down", broken, "the store is broken\n1 settlements were not sent\nthe store is broken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				all := start(t, s, 1, Options{})
				tk, _ := all[0].take(t, flightClaim(1))
				if tt.how != well {
					fall(t, s, tt.how, all)
				}
				all[0].Settle(tk)
				err := all[0].Close(context.Background())
				if got := text(err); got != tt.want {
					t.Errorf("error %q, want %q", got, tt.want)
				}
				if tt.how == well && (s.stands(flightClaim(1)) != 0 || len(s.alive) != 0) {
					t.Errorf("in flight %d, alive %d", s.stands(flightClaim(1)), len(s.alive))
				}
			})
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestWhoIsToldOfAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		var lines strings.Builder
		log := slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{ReplaceAttr: untimed}))
		all := append(start(t, s, 1, Options{}), join(t, s, "r01", Options{Log: log}))
		slices.Reverse(all)
		time.Sleep(time.Minute) // of the bubble
		fall(t, s, absent, all)
		all[0].take(t, budgetClaim(10, 100))
		time.Sleep(time.Minute) // of the bubble
		s.called("take")
		rise(t, s, all)
		w := all[0].told()
		if len(w.modes) != 2 || w.modes[0] != ledger.ModeLocal || w.modes[1] != ledger.ModeShared {
			t.Errorf("modes %v", w.modes)
		}
		if w.handed != 1 || w.live != 2 || w.asked == 0 {
			t.Errorf("handed over %d, live %d, asked %d", w.handed, w.live, w.asked)
		}
		want := `level=WARN msg="the shared store of the limits does not answer: each replica goes by its share" err="dial: the store is broken" replicas=2
level=INFO msg="the shared store of the limits answers again" counters_handed_over=1
`
		if got := lines.String(); got != want {
			t.Errorf("the log says\n%s", cmp.Diff(want, got))
		}
	})
}

// untimed leaves out of a log what differs each time.
func untimed(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == "down_for" {
		return slog.Attr{}
	}
	return a
}
