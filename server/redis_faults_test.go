package server

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/redistest"
	"github.com/holysheep/relay/plugins"
)

func TestTheClientOfRedisAsksOnce(t *testing.T) {
	s := redistest.Start(t)
	proxy := redistest.StartProxy(t, s.Addr())
	r, envs := startWith(t, fmt.Sprintf("redis: {addresses: [%q]}", proxy.Addr()))
	env := <-envs
	writes(t, env)
	// The greeting may have taken a connection of its own.
	dials := int(r.metric(t, "relay_redis_dials_total"))
	if hello := proxy.Commands("HELLO"); hello != dials || proxy.Commands() != hello+proxy.Commands("PING", "SET") {
		t.Errorf("%d connections sent %v, want one HELLO each and no more", dials, proxy.ByName())
	}
	proxy.Reset()
	proxy.Blackhole()
	failed := make(chan error)
	go func() { failed <- env.Redis.EvalSha(patient(t), "0123456789012345678901234567890123456789", nil).Err() }()
	redistest.Await(t, "the command", func() bool { return proxy.Commands("EVALSHA") == 1 })
	proxy.Heal()
	proxy.Cut()
	if err := <-failed; err == nil {
		t.Error("a connection that was cut gave no error")
	}
	if n := proxy.Commands("EVALSHA"); n != 1 {
		t.Errorf("the script was asked for %d times, want once", n)
	}
	writes(t, env)
}

func TestAScriptIsSentOnceInACluster(t *testing.T) {
	c := redistest.StartCluster(t)
	proxies := c.Proxies()
	_, envs := startWith(t, fmt.Sprintf("redis: {addresses: [%q, %q, %q]}", c.Addrs()[0], c.Addrs()[1], c.Addrs()[2]))
	env := <-envs
	scripts(t, env)
	tests := []struct {
		name string
		run  func(plugins.Env) error
	}{
		{"alone", func(env plugins.Env) error {
			return scripted.EvalSha(patient(t), env.Redis, []string{env.RedisPrefix + "script"}).Err()
		}},
		{"with others", func(env plugins.Env) error {
			_, err := env.Redis.Pipelined(patient(t), func(p redis.Pipeliner) error {
				p.Get(patient(t), env.RedisPrefix+"script")
				return scripted.EvalSha(patient(t), p, []string{env.RedisPrefix + "script"}).Err()
			})
			return err
		}},
	}
	sent := func() (n int) {
		for _, p := range proxies {
			n += p.Commands("EVALSHA")
		}
		return n
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, p := range proxies {
				p.Reset()
				p.Blackhole()
			}
			failed := make(chan error)
			go func() { failed <- tt.run(env) }()
			redistest.Await(t, "the script", func() bool { return sent() == 1 })
			for _, p := range proxies {
				p.Cut()
				p.Heal()
			}
			if err := <-failed; err == nil || sent() != 1 {
				t.Errorf("the script was sent %d times, error %v; want it once, and the error", sent(), err)
			}
			scripts(t, env)
		})
	}
}

func TestAScriptFollowsItsSlot(t *testing.T) {
	c := redistest.StartCluster(t)
	_, envs := startWith(t, fmt.Sprintf("redis: {addresses: [%q], mode: cluster}", c.Addrs()[0]))
	env := <-envs
	scripts(t, env)
	slot := c.Slot(env.RedisPrefix + "script")
	m := c.Move(slot, c.Next(c.Owner(slot)))
	for _, step := range []func(){m.Begin, func() { m.Copy(10) }, m.End} {
		step()
		scripts(t, env)
	}
}

func TestTheClientFollowsTheMaster(t *testing.T) {
	s := redistest.StartSentinel(t)
	_, envs := startWith(t, fmt.Sprintf("redis: {addresses: [%q], sentinel: {master: %s}}", s.Addrs()[0], redistest.MasterName))
	env := <-envs
	writes(t, env)
	old := s.Master()
	next := s.Other(old)
	old.Kill()
	s.AwaitMaster(next)
	redistest.Await(t, "the client to follow", func() bool {
		return env.Redis.Set(patient(t), env.RedisPrefix+"after", "v", 0).Err() == nil
	})
	if n := next.Client().Exists(patient(t), env.RedisPrefix+"after").Val(); n != 1 {
		t.Error("it was written elsewhere")
	}
}
