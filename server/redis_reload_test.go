package server

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/redistest"
	"github.com/holysheep/relay/plugins"
)

// A new password makes a new client; requests of before go on with the old one,
// which is closed after the last of them.
func TestANewPasswordOfRedis(t *testing.T) {
	s := redistest.Start(t)
	s.AddUser("relay", "first", "~*", "+@all")
	password := filepath.Join(t.TempDir(), "password")
	replaceFile(t, password, "first")

	up, envs := newHeld(t), make(chan plugins.Env, 100)
	r := &running{Log: &logs{}, Plugins: []plugins.Plugin{lends(envs)}}
	r.start(t, fmt.Sprintf("chain: [lends]\nredis: {addresses: [%q], username: relay, password_file: %q}", s.Addr(), password), up.URL)
	first := (<-envs).Redis
	stream := up.open(t, r)

	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if again := (<-envs).Redis; again != first {
		t.Error("a reload that changes nothing has made another client")
	}
	s.AddUser("relay", "second")
	replaceFile(t, password, "second")
	second := <-envs // by itself: the file is watched
	r.loaded(t, 2)
	if second.Redis == first {
		t.Error("another password has made no other client")
	}
	writes(t, second)
	if err := first.Ping(patient(t)).Err(); err != nil {
		t.Errorf("the old client is of no use while a request may use it: %v", err)
	}
	stream.finish(t)
	redistest.Await(t, "the old client to be closed", func() bool {
		return errors.Is(first.Ping(patient(t)).Err(), redis.ErrClosed)
	})
	writes(t, second)
}

// A replica cannot take its leave of a Redis that has never let it in. That the
// password is mended is no error.
func TestAMendedPasswordIsNoError(t *testing.T) {
	s := redistest.Start(t)
	s.AddUser("relay", "right", "~*", "&*", "+@all")
	password := filepath.Join(t.TempDir(), "password")
	replaceFile(t, password, "wrong")
	r := start(t, fmt.Sprintf("chain: [limit]\nplugins: {limit: {rules: {all: {per: global, requests: 5, on_store_down: open}}}}\n"+
		"redis: {addresses: [%q], username: relay, password_file: %q}", s.Addr(), password))
	expect(t, r.URL+"/v1/models", 200, "")

	replaceFile(t, password, "right")
	line := r.Log.Wait(t, func(line map[string]any) bool { return line["msg"] == "closing an old configuration" })
	if err, _ := line["err"].(string); line["level"] != "WARN" || !strings.Contains(err, "WRONGPASS") {
		t.Errorf("%v, want a warning of WRONGPASS", line)
	}
}
