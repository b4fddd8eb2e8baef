package failover

import (
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// lives is what the beats of this replica have said about those that live, as
// far as it matters for its [share].
//
// Replicas learn of a change one after the other, so for a while they see
// different numbers. Their shares must not come to more than the limit even
// then, and a share becomes smaller with more replicas and with a higher rank.
// So
//
//   - the share is by the most replicas and the highest rank that were seen
//     within the last ttl. A replica that has gone counts until everybody knows;
//   - a replica has no share until it has beaten for a whole ttl: only then has
//     everybody seen it who still lives. One that joins pushes the ranks of
//     others up only, which makes their shares smaller;
//   - an outage changes nothing of the share. After one that is longer than half
//     a ttl the others may have forgotten this replica, or not have seen it yet.
//     Its share stays as it was before, or smaller, until it has beaten for a
//     whole ttl again. So it does when the store has lost its data, and with
//     them who lives;
//   - a replica that was stopped, as a process or its machine can be, and wakes
//     has no share until it has beaten for a whole ttl: unlike in an outage, the
//     others may have beaten meanwhile, and forgotten it.
type lives struct {
	ttl      time.Duration
	replicas int64 // 0, or how many were configured

	beats  []sight   // of the last ttl, the oldest first
	epoch  string    // of all of them
	first  time.Time // the first of those without a gap
	before share     // as it was before the gap
}

type sight struct {
	at         time.Time
	live, rank int64
}

// beat takes in a beat and returns the share.
func (v *lives) beat(now time.Time, b ledger.Beat) share {
	if n := len(v.beats); n == 0 || now.Sub(v.beats[n-1].at) > v.ttl/2 || b.Epoch != v.epoch {
		v.before = v.share()
		v.first, v.beats, v.epoch = now, nil, b.Epoch
	}
	v.beats = append(v.beats, sight{at: now, live: int64(b.Live), rank: int64(b.Rank)})
	for now.Sub(v.beats[0].at) > v.ttl {
		v.beats = v.beats[1:]
	}
	return v.share()
}

// share returns this replica's share as of the latest beat.
//
// If the number of replicas is configured it needs no beats to be known: who has
// beaten once has a share, without any of the remainder. More replicas than were
// configured have smaller shares all the same.
func (v *lives) share() share {
	n := len(v.beats)
	if n == 0 {
		return share{}
	}
	var s share
	if v.young() {
		if s = v.before; s == (share{}) && v.replicas == 0 {
			return s
		}
		if s == (share{}) {
			s.rank = unranked
		}
	}
	for _, b := range v.beats {
		s.of, s.rank = max(s.of, b.live), max(s.rank, b.rank)
	}
	s.of = max(s.of, v.replicas)
	return s
}

// young returns whether this replica has not beaten for a whole ttl yet, as far
// as it has beaten at all.
func (v *lives) young() bool {
	n := len(v.beats)
	return n > 0 && v.beats[n-1].at.Sub(v.first) < v.ttl
}

// tune takes in another ttl and another number of replicas, and returns the
// share, which was s. It stays what it is if the number does: who has beaten for
// a whole ttl is not young again by a longer one.
func (v *lives) tune(s share, ttl time.Duration, replicas int64) share {
	same := v.replicas == replicas
	v.replicas = replicas
	if !v.young() {
		v.before = v.share()
	}
	v.ttl = ttl
	switch {
	case same:
		return s
	case len(v.beats) == 0:
		return v.sleep(s)
	}
	return v.share()
}

// sleep forgets all, for this replica was stopped for a while. It returns the
// share that is left: none, or where the number of replicas is configured what
// needs no rank.
func (v *lives) sleep(s share) share {
	v.beats = nil
	if v.replicas == 0 || s.of == 0 {
		return share{}
	}
	return share{of: max(s.of, v.replicas), rank: unranked}
}
