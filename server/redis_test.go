package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/redistest"
	"github.com/holysheep/relay/plugins"
)

// lends is a plugin that hands out what it was lent, each time it is built.
func lends(envs chan<- plugins.Env) plugins.Plugin {
	return plugins.Define("lends", func() noSettings { return noSettings{} }, func(_ noSettings, env plugins.Env) (plugins.Link, error) {
		envs <- env
		return plugins.Link{Close: func(context.Context) error { return nil }}, nil
	})
}

// startWith starts a relay with the settings of Redis and returns what its
// plugins are lent, now and after each reload.
func startWith(t *testing.T, settings string, environ ...string) (*running, <-chan plugins.Env) {
	t.Helper()
	envs := make(chan plugins.Env, 100)
	r := &running{Log: &logs{}, Plugins: []plugins.Plugin{lends(envs)}, Environ: environ}
	r.start(t, "chain: [lends]\n"+settings, "http://127.0.0.1:9/v1")
	return r, envs
}

// writes fails the test unless the plugins' client can write.
func writes(t *testing.T, env plugins.Env) {
	t.Helper()
	if err := env.Redis.Set(patient(t), env.RedisPrefix+"k", "v", 0).Err(); err != nil {
		t.Error(err)
	}
}

// scripted is what scripts of plugins do.
var scripted = redis.NewScript(`
local now = redis.call('TIME')
redis.call('ZADD', KEYS[1], now[1], 'a')
redis.call('PEXPIRE', KEYS[1], 60000)
return redis.call('ZCARD', KEYS[1])`)

// scripts fails the test unless the plugins' client can have scripts run.
func scripts(t *testing.T, env plugins.Env) {
	t.Helper()
	if n, err := scripted.Run(patient(t), env.Redis, []string{env.RedisPrefix + "script"}).Int(); n != 1 || err != nil {
		t.Errorf("a script returned %d, %v, want 1", n, err)
	}
}

// rights returns the rules of a user that the README recommends.
func rights(t *testing.T, line string) []string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?m)^" + line).FindSubmatch(text)
	if found == nil {
		t.Fatalf("the README has no %q", line)
	}
	return strings.Fields(string(found[1]))
}

func TestPluginsShareRedis(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	replaceFile(t, password, "secret\n")
	tests := []struct {
		name  string
		redis func(t *testing.T) (settings string, holds *redis.Client)
		key   string
	}{
		{"one server", func(t *testing.T) (string, *redis.Client) {
			t.Helper()
			s := redistest.Start(t)
			return fmt.Sprintf("{addresses: [%q], db: 3, prefix: 'eu:1'}", s.Addr()), nil
		}, "eu:1:k"},
		{"a password in the environment", func(t *testing.T) (string, *redis.Client) {
			t.Helper()
			s := redistest.Start(t, "--requirepass", "secret")
			return fmt.Sprintf("{addresses: [%q], password_env: SECRET}", s.Addr()), s.Client()
		}, "holysheep:k"},
		{"a user, TLS, and a name of the certificate", func(t *testing.T) (string, *redis.Client) {
			t.Helper()
			s := redistest.StartTLS(t)
			s.AddUser("relay", "secret", rights(t, "ACL SETUSER relay on >PASSWORD (.*)")...)
			return fmt.Sprintf("{addresses: [%q], username: relay, password_file: %q, tls: true, server_name: redis.test, ca_file: %q, cert_file: %q, key_file: %q}",
				s.Addr(), password, s.TLS().CAFile, s.TLS().CertFile, s.TLS().KeyFile), s.Client()
		}, "holysheep:k"},
		{"Sentinels", func(t *testing.T) (string, *redis.Client) {
			t.Helper()
			s := redistest.StartSentinel(t)
			s.AddUser("watcher", "secret", rights(t, "At Sentinels, `(.*)`")...)
			return fmt.Sprintf("{addresses: [%q], sentinel: {master: %s, username: watcher, password_file: %q}}",
				s.Addrs()[0], redistest.MasterName, password), s.Master().Client()
		}, "holysheep:k"},
		{"a cluster", func(t *testing.T) (string, *redis.Client) {
			t.Helper()
			c := redistest.StartCluster(t)
			for _, n := range c.Nodes() {
				n.AddUser("relay", "secret", rights(t, "ACL SETUSER relay on >PASSWORD (.*)")...)
			}
			return fmt.Sprintf("{addresses: [%q, %q], username: relay, password_file: %q}", c.Addrs()[0], c.Addrs()[1], password), c.Owner(c.Slot("holysheep:k")).Client()
		}, "holysheep:k"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			settings, holds := tt.redis(t)
			r, envs := startWith(t, "redis: "+settings, "SECRET=secret")
			env := <-envs
			writes(t, env)
			scripts(t, env)
			if holds == nil {
				holds, _ = env.Redis.(*redis.Client)
			}
			if n := holds.Exists(patient(t), tt.key).Val(); n != 1 {
				t.Errorf("%s is not in Redis", tt.key)
			}
			if r.metric(t, "relay_redis_connections") < 1 || r.metric(t, "relay_redis_dials_total", "result", "success") < 1 {
				t.Error("the connections are not counted")
			}
			if err := r.Stop(); err != nil {
				t.Error(err)
			}
			if log := r.Log.All(); strings.Contains(log, "redis cannot be reached") {
				t.Errorf("it could be reached: %s", log)
			}
			if open := r.metric(t, "relay_redis_connections"); open != 0 {
				t.Errorf("%g connections are open after the end", open)
			}
			if err := env.Redis.Ping(patient(t)).Err(); !errors.Is(err, redis.ErrClosed) {
				t.Errorf("after the end: %v, want that the client is closed", err)
			}
		})
	}
}

func TestWithoutRedisThereIsNone(t *testing.T) {
	_, envs := startWith(t, "redis: {password_env: NONE}")
	if env := <-envs; env.Redis != nil {
		t.Error("there is a client")
	}
}

func TestRedisCannotBeReached(t *testing.T) {
	tests := []struct {
		name, settings string
		fault          func(t *testing.T) (addr string)
	}{
		{"nobody listens", "{addresses: [ADDR]}", dead},
		{"it is frozen", "{addresses: [ADDR]}", func(t *testing.T) string {
			t.Helper()
			s := redistest.Start(t)
			s.Pause()
			return s.Addr()
		}},
		{"the password is wrong", "{addresses: [ADDR], password_env: SECRET}", func(t *testing.T) string {
			t.Helper()
			return redistest.Start(t, "--requirepass", "another").Addr()
		}},
		{"no Sentinel listens", "{addresses: [ADDR], sentinel: {master: main}}", dead},
		{"no node listens", "{addresses: [ADDR], mode: cluster}", dead},
		{"its certificate is not trusted", "{addresses: [ADDR], tls: true}", func(t *testing.T) string {
			t.Helper()
			return redistest.StartTLS(t).Addr()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			settings := strings.ReplaceAll(tt.settings, "ADDR", fmt.Sprintf("%q", tt.fault(t)))
			r, _ := startWith(t, "redis: "+settings, "SECRET=canary-password")
			r.Log.count(t, `"msg":"redis cannot be reached`, 1)
			if err := r.Reload(); err != nil {
				t.Fatal(err)
			}
			if err := r.Stop(); err != nil {
				t.Error(err)
			}
			log := r.Log.All()
			if strings.Count(log, "redis cannot be reached") != 1 || strings.Contains(log, "canary") {
				t.Errorf("want one warning and no password:\n%s", log)
			}
		})
	}
}

// dead returns an address where nobody listens.
func dead(t *testing.T) string {
	t.Helper()
	s := redistest.Start(t)
	s.Kill()
	return s.Addr()
}

func TestFilesOfRedisThatAreNoGood(t *testing.T) {
	dir := t.TempDir()
	empty, text := filepath.Join(dir, "empty"), filepath.Join(dir, "text")
	for file, content := range map[string]string{empty: "", text: "canary"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ name, settings, want string }{
		{"no authority", "tls: true, ca_file: " + dir + "/none", "redis.ca_file: open " + dir + "/none: no such file or directory"},
		{"an authority that is none", "tls: true, ca_file: " + text, "redis.ca_file: holds no certificate as PEM"},
		{"no certificate", "tls: true, cert_file: " + dir + "/none, key_file: " + text, "redis.cert_file: open " + dir + "/none: no such file or directory"},
		{"a certificate that is none", "tls: true, cert_file: " + text + ", key_file: " + text, "redis.cert_file: not a certificate that goes with key_file: tls: failed to find any PEM data in certificate input"},
		{"an empty password", "password_file: " + empty, "redis.password_file: " + empty + " is empty"},
		{"an empty password of the Sentinels", "sentinel: {master: main, password_file: " + empty + "}", "redis.sentinel.password_file: " + empty + " is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "relay.yaml")
			replaceFile(t, file, complete("chain: []\nredis: {addresses: ['127.0.0.1:1'], "+tt.settings+"}", "http://127.0.0.1:9/v1"))
			_, err := New(Options{Path: file, Log: &logs{}, Environ: []string{"UPSTREAM_KEY=key"}})
			if err == nil || err.Error() != tt.want {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestAFrozenRedisCostsTheDeadline(t *testing.T) {
	s := redistest.Start(t)
	r, envs := startWith(t, fmt.Sprintf("redis: {addresses: [%q]}", s.Addr()))
	env := <-envs
	writes(t, env)
	s.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := env.Redis.Get(ctx, "k").Err()
	if took := time.Since(start); err == nil || took > time.Second {
		t.Errorf("it took %s until %v, want about 50 ms", took, err)
	}
	s.Resume()
	writes(t, env)
	if got := r.metric(t, "relay_redis_errors_total", "kind", "timeout"); got != 1 {
		t.Errorf("%g commands were too late, want 1", got)
	}
}
