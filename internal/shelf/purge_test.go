package shelf

import (
	"testing"
	"time"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/redistest"
)

func TestPurgesReachEveryReplica(t *testing.T) {
	server := redistest.Start(t)
	one, other := open(t, server.Client(), &counts{}), open(t, server.Client(), &counts{})
	redistest.Await(t, "both listen", func() bool { return one.heard() && other.heard() })
	kept := map[answer.Place]bool{}
	for _, p := range []answer.Place{placed(1, 1, 1), placed(1, 2, 2), placed(2, 1, 3)} {
		a := told(p, "a")
		one.Share(t.Context(), p, a, time.Hour)
		one.Put(p, a)
		other.Put(p, a)
		kept[p] = p.Name.Tenant == [8]byte{2}
	}
	begun := time.Now()
	n, err := one.Purge(t.Context(), What{Tenant: &[8]byte{1}})
	if n != (Removed{2, 2}) || err != nil {
		t.Errorf("Purge = %v, %v, want 2 of each", n, err)
	}
	redistest.Await(t, "the other replica learns of it", func() bool { return other.Entries() == 1 })
	for p, want := range kept {
		a, _ := one.Get(t.Context(), p, always)
		b, _ := other.Get(t.Context(), p, always)
		if (a != nil) != want || (b != nil) != want || other.Purged(p.Name, begun) == want {
			t.Errorf("%v is there %t and %t, want %t", p.Name, a != nil, b != nil, want)
		}
	}
	// What was on its way is purged once more.
	late := placed(1, 1, 9)
	other.Share(t.Context(), late, told(late, "late"), time.Hour)
	redistest.Await(t, "the second look", func() bool { return other.fetch(t.Context(), late) == nil })
	if n, err := one.Purge(t.Context(), What{}); n != (Removed{1, 1}) || err != nil {
		t.Errorf("Purge of all = %v, %v, want the one that is left", n, err)
	}
}

// heard reports whether the shelf has read the log of purges.
func (s *Shelf) heard() bool { return s.listening.Load() }

func TestPurgeOfACluster(t *testing.T) {
	cluster := redistest.StartCluster(t)
	s := open(t, cluster.Client(), &counts{})
	for id := range byte(50) {
		p := placed(1, 1, id)
		s.Share(t.Context(), p, told(p, "a"), time.Hour)
		if a, tier := s.Get(t.Context(), p, always); a == nil || tier != Redis {
			t.Fatalf("Get = %v from %d", a, tier)
		}
		if l, standing, _ := s.Lease(t.Context(), p, time.Minute); standing != Taken {
			t.Fatalf("Lease = %d", standing)
		} else if a, _ := s.Await(t.Context(), p, always); a == nil {
			t.Fatal("Await = nil")
		} else {
			l.Release(t.Context())
		}
	}
	if n, err := s.Purge(t.Context(), What{Model: &[4]byte{1}}); n != (Removed{50, 50}) || err != nil {
		t.Errorf("Purge = %v, %v, want 50 of each", n, err)
	}
}
