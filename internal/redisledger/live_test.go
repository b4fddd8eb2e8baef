package redisledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

func TestReplicasSeeWhoLives(t *testing.T) {
	now := int64(1_754_300_000) * second
	clock := func() int64 { return now }
	a, client := open(t, Options{Instance: "a", Clock: clock})
	b := New(client, Options{Prefix: "test:", Instance: "b", Clock: clock})
	beat := func(s *Store) ledger.Beat {
		t.Helper()
		got, err := s.Beat(t.Context(), 6*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	sees := func(what string, got ledger.Beat, live, rank int) {
		t.Helper()
		if got.Live != live || got.Rank != rank || got.Now != time.UnixMicro(now) {
			t.Errorf("%s: %+v, want %d living and rank %d", what, got, live, rank)
		}
	}
	first := beat(b)
	sees("b alone", first, 1, 0)
	sees("a comes", beat(a), 2, 0)
	sees("b beside a", beat(b), 2, 1)
	now += 5 * second
	sees("b a little later", beat(b), 2, 1)
	now += 2 * second
	sees("a is gone", beat(b), 1, 0)
	beat(a)
	if err := a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := beat(b)
	sees("a has left", last, 1, 0)
	if first.Epoch == "" || last.Epoch != first.Epoch {
		t.Errorf("the epoch was %q and is %q", first.Epoch, last.Epoch)
	}
	client.FlushDB(t.Context())
	if lost := beat(b); lost.Epoch == first.Epoch {
		t.Errorf("the data are gone, and the epoch is still %q", lost.Epoch)
	}
}

// Another lease is that of what is taken and renewed from then on.
func TestAnotherLease(t *testing.T) {
	now := int64(1_754_300_000) * second
	s, _ := open(t, Options{Lease: 30 * time.Second, Clock: func() int64 { return now }})
	before, renewed, after := ticket(claim(flights, 1, 3)), ticket(claim(flights, 1, 3)), ticket(claim(flights, 1, 3))
	mustTake(t, s, before)
	mustTake(t, s, renewed)
	s.SetLease(time.Minute)
	mustTake(t, s, after)
	held := []ledger.Held{{Counter: flights, Subject: renewed.Claims[0].Subject, Leases: []uint64{renewed.Lease}}}
	if err := s.Renew(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what    string
		elapsed int64
		want    int64
	}{{"at once", 0, 3}, {"after the old lease", 30 * second, 2}, {"after the new one", 60 * second, 0}} {
		now += tt.elapsed
		if got := read(t, s, claim(flights, 1, 3))[0].Used; got != tt.want {
			t.Errorf("%s %d are held, want %d", tt.what, got, tt.want)
		}
		now -= tt.elapsed
	}
}

func TestALeaseEndsUnlessItIsRenewed(t *testing.T) {
	now := int64(1_754_300_000) * second
	s, client := open(t, Options{Lease: 30 * time.Second, Clock: func() int64 { return now }})
	kept, lost := ticket(claim(flights, 1, 2)), ticket(claim(flights, 1, 2))
	mustTake(t, s, kept)
	mustTake(t, s, lost)
	held := func(what string, want int64) {
		t.Helper()
		if got := read(t, s, claim(flights, 1, 2))[0].Used; got != want {
			t.Errorf("%s: %d are held, want %d", what, got, want)
		}
	}
	now += 30*second - 1
	renew := []ledger.Held{{Counter: flights, Subject: kept.Claims[0].Subject, Leases: []uint64{kept.Lease}}}
	if err := s.Renew(t.Context(), renew); err != nil {
		t.Fatal(err)
	}
	held("before the lease ends", 2)
	now++
	held("when it has ended", 1)
	mustSettle(t, s, lost)
	held("one that is settled after its lease takes nothing from others", 1)

	client.FlushDB(t.Context())
	held("the data are lost", 0)
	mustTake(t, s, ticket(claim(flights, 1, 2)))
	mustTake(t, s, ticket(claim(flights, 1, 2)))
	if err := s.Renew(t.Context(), renew); err != nil {
		t.Fatal(err)
	}
	held("a renewal holds again, be there room or not", 3)
}

func TestRaiseLiftsAndNeverLowers(t *testing.T) {
	now := int64(1_754_300_000) * second
	s, client := open(t, Options{Clock: func() int64 { return now }})
	known := ticket(claim(requests, 40*second, 60*second), claim(daily, 9e9, 50e9), claim(rolling, 2e9, 5e9))
	mustTake(t, s, known)
	client.FlushDB(t.Context())
	now += 10 * second
	for range 2 { // as two replicas that know the same
		if err := s.Raise(t.Context(), known.Claims); err != nil {
			t.Fatal(err)
		}
	}
	used := func(what string, want ...int64) {
		t.Helper()
		for i, c := range read(t, s, claim(requests, 0, 60*second), claim(daily, 0, 50e9), claim(rolling, 0, 5e9)) {
			if c.Used != want[i] {
				t.Errorf("%s: of %s %d are used, want %d", what, c.Counter.Name, c.Used, want[i])
			}
		}
	}
	used("ten seconds after", 30*second, 9e9, 2e9)
	mustTake(t, s, ticket(claim(requests, 5*second, 60*second), claim(daily, 1e9, 50e9)))
	if err := s.Raise(t.Context(), known.Claims); err != nil {
		t.Fatal(err)
	}
	used("what was taken since is part of it", 35*second, 10e9, 2e9)
	now += 86400 * second
	if err := s.Raise(t.Context(), known.Claims); err != nil {
		t.Fatal(err)
	}
	used("a day later nothing of it is left", 0, 0, 0)
}

func TestResetLeavesNothingTaken(t *testing.T) {
	s, client := open(t, Options{})
	mustTake(t, s, everything())
	if err := s.Reset(t.Context(), everything().Claims); err != nil {
		t.Fatal(err)
	}
	if left := keys(t, client); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}

func TestManyAtOnce(t *testing.T) {
	s, client := open(t, Options{})
	const n = 5000
	claims := make([]ledger.Claim, n)
	held := ledger.Held{Counter: flights}
	for i := range claims {
		claims[i] = claim(requests, 0, 3600*second)
		claims[i].Subject.A = fmt.Sprintf("client %d", i)
		claims[i].Used, claims[i].At = 1800*second, time.Now().UnixMicro()
		held.Leases = append(held.Leases, uint64(i+1))
	}
	if err := s.Raise(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	if err := s.Renew(t.Context(), []ledger.Held{held}); err != nil {
		t.Fatal(err)
	}
	claims = append(claims, ledger.Claim{Counter: flights})
	for _, c := range read(t, s, claims...)[:n] {
		if c.Used < 1700*second {
			t.Fatalf("%+v", c)
		}
	}
	if got := claims[n].Used; got != n {
		t.Errorf("%d are held, want %d", got, n)
	}
	if err := s.Reset(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	if left := keys(t, client); len(left) > 0 {
		t.Errorf("%d keys are left", len(left))
	}
}
