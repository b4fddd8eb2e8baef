package redistest

import "testing"

func TestASentinelReplacesADeadMaster(t *testing.T) {
	s := StartSentinel(t)
	c := s.Client()
	set(t, c, "k", "v")
	old := s.Master()
	next := s.Other(old)
	Await(t, "the replica to have it", func() bool { return next.admin().Get(bounded(t), "k").Val() == "v" })
	old.Kill()
	s.AwaitMaster(next)
	Await(t, "the client to follow", func() bool { return c.Set(bounded(t), "k", "w", 0).Err() == nil })
	wantKey(t, next.Client(), "k", "w")
}

func TestASentinelSwitchesWhenAsked(t *testing.T) {
	s := StartSentinel(t)
	old := s.Master()
	s.Failover()
	if s.Master() == old {
		t.Error("the master is the same")
	}
}

func TestASentinelSendsClientsToAProxy(t *testing.T) {
	server := Start(t)
	p := StartProxy(t, server.Addr())
	c := StartSentinelOf(t, p).Client()
	set(t, c, "k", "v")
	if got := p.Commands("SET"); got != 1 {
		t.Errorf("%d commands went through the proxy, want 1", got)
	}
	wantKey(t, server.Client(), "k", "v")
}
