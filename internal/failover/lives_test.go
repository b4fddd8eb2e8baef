package failover

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holysheep/relay/internal/ledger"
)

func TestTheShareByBeats(t *testing.T) {
	type beat struct {
		at         time.Duration
		live, rank int
	}
	const ttl = 6 * time.Second
	tests := []struct {
		name     string
		replicas int64
		beats    []beat
		want     share
	}{
		{"who has not beaten has none", 0, nil, share{}},
		{"who was just born has none", 0, []beat{{0, 4, 1}, {2 * time.Second, 4, 1}}, share{}},
		{"after a whole ttl it has one", 0, []beat{{0, 4, 1}, {3 * time.Second, 4, 1}, {ttl, 4, 1}}, share{4, 1}},
		{"one that has gone still counts", 0, []beat{{0, 4, 2}, {3 * time.Second, 4, 2}, {ttl, 3, 1}}, share{4, 2}},
		{"for no more than a ttl", 0, []beat{{0, 4, 2}, {3 * time.Second, 3, 1}, {ttl, 3, 1}, {ttl + 2*time.Second, 3, 1}}, share{3, 1}},
		{"after a gap it is what it was", 0, []beat{{0, 4, 1}, {ttl / 2, 4, 1}, {ttl, 4, 1}, {ttl * 10, 1, 0}}, share{4, 1}},
		{"or less", 0, []beat{{0, 2, 0}, {ttl / 2, 2, 0}, {ttl, 2, 0}, {ttl * 10, 5, 3}}, share{5, 3}},
		{"until a ttl after the gap", 0, []beat{{0, 4, 1}, {ttl / 2, 4, 1}, {ttl, 4, 1}, {ttl * 10, 2, 0}, {ttl*10 + ttl/2, 2, 0}, {ttl * 11, 2, 0}}, share{2, 0}},
		{"who missed half a ttl while it was young stays without", 0, []beat{{0, 4, 1}, {ttl * 3 / 4, 4, 1}, {ttl, 4, 1}}, share{}},
		{"configured: one beat will do, for what needs no rank", 4, []beat{{0, 1, 0}}, share{4, unranked}},
		{"configured: none will not", 4, nil, share{}},
		{"configured: the rank is that of the beats", 4, []beat{{0, 3, 1}, {ttl / 2, 3, 1}, {ttl, 3, 1}}, share{4, 1}},
		{"more live than were configured", 2, []beat{{0, 3, 1}, {ttl / 2, 3, 1}, {ttl, 3, 1}}, share{3, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := lives{ttl: ttl, replicas: tt.replicas}
			for _, b := range tt.beats {
				v.beat(time.Unix(0, 0).Add(b.at), ledger.Beat{Live: b.live, Rank: b.rank})
			}
			if got := v.share(); got != tt.want {
				t.Errorf("share %v, want %v", got, tt.want)
			}
		})
	}
}

// However replicas come, go, crash and lose sight of the store, at any instant
// the shares of those that run come to no more than the limit.
func TestSharesNeverComeToMoreThanTheLimit(t *testing.T) {
	const ttl, beat = 6, 2 // ticks
	rapid.Check(t, func(t *rapid.T) {
		type one struct {
			lives lives
			next  int
		}
		alive, running := map[string]int{}, map[string]*one{}
		n := rapid.Int64Range(1, 30).Draw(t, "limit")
		down, zero, lost := 0, time.Unix(0, 0), 0
		for now := range rapid.IntRange(20, 120).Draw(t, "ticks") {
			switch rapid.IntRange(0, 9).Draw(t, "event") {
			case 0:
				name := fmt.Sprint(rapid.IntRange(100, 999).Draw(t, "joins"))
				if running[name] == nil && len(running) < 8 {
					running[name] = &one{lives: lives{ttl: ttl * time.Second}}
				}
			case 1:
				names := sorted(running)
				if len(names) > 0 {
					gone := names[rapid.IntRange(0, len(names)-1).Draw(t, "goes")]
					delete(running, gone)
					if down <= now && rapid.Bool().Draw(t, "leaves") {
						delete(alive, gone)
					}
				}
			case 2:
				if rapid.IntRange(0, 3).Draw(t, "outage") == 0 {
					down = now + rapid.IntRange(1, 20).Draw(t, "for")
				}
			case 3:
				if rapid.IntRange(0, 9).Draw(t, "loses its data") == 0 {
					clear(alive)
					lost++
				}
			}
			var sum int64
			for _, name := range sorted(running) {
				r := running[name]
				if now >= r.next && now >= down {
					r.next = now + beat
					alive[name] = now + ttl
					for other, until := range alive {
						if until <= now {
							delete(alive, other)
						}
					}
					rank := slices.Index(sorted(alive), name)
					r.lives.beat(zero.Add(time.Duration(now)*time.Second), ledger.Beat{Epoch: fmt.Sprint(lost), Live: len(alive), Rank: rank})
				}
				sum += r.lives.share().whole(n)
			}
			if sum > n {
				for _, name := range sorted(running) {
					t.Logf("%s: %+v", name, running[name].lives.share())
				}
				t.Fatalf("at %d the shares of %d come to %d", now, n, sum)
			}
		}
	})
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
