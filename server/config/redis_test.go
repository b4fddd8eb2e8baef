package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/server/config"
)

func TestTheModeOfRedis(t *testing.T) {
	tests := []struct {
		name, redis, kind, err string
	}{
		{name: "no addresses", redis: "{}"},
		{name: "no addresses, but the rest", redis: "{sentinel: {master: main, username: a}, db: 1, password_env: NONE}"},
		{name: "one address", redis: "{addresses: [a:1]}", kind: "single"},
		{name: "several addresses", redis: "{addresses: [a:1, b:1]}", kind: "cluster"},
		{name: "a master", redis: "{addresses: [a:1], sentinel: {master: main}}", kind: "sentinel"},
		{name: "a cluster of one address", redis: "{addresses: [a:1], mode: cluster}", kind: "cluster"},
		{name: "one of several addresses", redis: "{addresses: [a:1, b:1], mode: single}", err: "redis.mode: single, but there are 2 addresses"},
		{name: "a master of one", redis: "{addresses: [a:1], mode: single, sentinel: {master: main}}", err: "redis.mode: single, but sentinel.master is set"},
		{name: "a master of a cluster", redis: "{addresses: [a:1, b:1], mode: cluster, sentinel: {master: main}}", err: "redis.mode: cluster, but sentinel.master is set"},
		{name: "no master", redis: "{addresses: [a:1], mode: sentinel}", err: "redis.sentinel.master: is missing, but mode is sentinel"},
		{name: "a user of no Sentinel", redis: "{addresses: [a:1], sentinel: {username: a}}", err: "redis.sentinel: is set, but mode is single: set sentinel.master too"},
		{name: "a master of an odd name", redis: "{addresses: [a:1], sentinel: {master: 'a b'}}", err: `redis.sentinel.master: "a b" is not letters, digits, '.', '_' or '-'`},
		{name: "a database", redis: "{addresses: [a:1], db: 3}", kind: "single"},
		{name: "a database behind Sentinels", redis: "{addresses: [a:1, b:1], sentinel: {master: main}, db: 3}", kind: "sentinel"},
		{
			name: "a database of a cluster", redis: "{addresses: [a:1, b:1], db: 3}",
			err: "redis.db: a cluster has no 3, only 0: leave it out, or set mode if these addresses are no cluster",
		},
		{name: "the Sentinels' password is not there", redis: "{addresses: [a:1], sentinel: {master: main, password_env: NONE}}", err: "redis.sentinel.password_env: NONE is not set"},
		{name: "the Sentinels' file is not there", redis: "{addresses: [a:1], sentinel: {master: main, password_file: /run/none}}", err: "redis.sentinel.password_file: open /run/none: file does not exist"},
		{
			name: "two passwords of the Sentinels", redis: "{addresses: [a:1], sentinel: {master: main, password_env: A, password_file: /run/password}}",
			err: "redis.sentinel.password_env: stands beside password_file: keep one",
		},
		{name: "a certificate without its key", redis: "{addresses: [a:1], tls: true, cert_file: a.pem}", err: "redis.key_file: missing beside cert_file"},
		{name: "a prefix that is too long", redis: "{prefix: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg}", err: `redis.prefix: a text of 65 bytes is not 1 to 64 letters, digits, '.', '_', '-' or ':'`},
		{name: "no prefix", redis: "{prefix: ''}", err: `redis.prefix: "" is not 1 to 64 letters, digits, '.', '_', '-' or ':'`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loaded, err := load(minimal + "redis: " + tt.redis)
			if got := message(err); got != tt.err {
				t.Fatalf("error = %q, want %q", got, tt.err)
			}
			if got := loaded.Config.Redis.Kind(); err == nil && got != tt.kind {
				t.Errorf("kind = %q, want %q", got, tt.kind)
			}
		})
	}
}

func TestRedisFromTheEnvironment(t *testing.T) {
	got := mustLoad(t, minimal, "RELAY_REDIS__ADDRESSES=a:1,b:2", "RELAY_REDIS__SENTINEL__MASTER=main", "RELAY_REDIS__POOL_SIZE=7",
		"RELAY_REDIS__DIAL_TIMEOUT=2s", "RELAY_REDIS__TLS=true", "REDIS_PASSWORD=canary").Config.Redis
	want := config.Redis{
		Addresses: []string{"a:1", "b:2"}, Mode: "auto", Sentinel: config.Sentinel{Master: "main"}, PasswordEnv: "REDIS_PASSWORD",
		Prefix: "holysheep", TLS: true, PoolSize: 7, DialTimeout: 2 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("redis (-want +got):\n%s", diff)
	}
}
