package upstream

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestKeysAreReadOneByOne(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // names and keys in turn
		err        string
	}{
		{"one", "a", []string{"1", "a"}, ""},
		{"one a line", "a\nb\r\n\n c\n", []string{"1", "a", "2", "b", "3", "c"}, ""},
		{"between commas", "a,b, c", []string{"1", "a", "2", "b", "3", "c"}, ""},
		{"the same again keeps the others' names", "a b a c", []string{"1", "a", "2", "b", "4", "c"}, ""},
		{"none", " ,\n, ", nil, "api_key_file: holds no key"},
		{"what no header may hold", "hunter1 hunter\x012", nil, "api_key_file: key 2 holds what no header may"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "keys")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			s := settings("https://x/v1", func(s *Settings) { s.APIKeyFile = file })
			p, err := New(Config{Upstreams: map[string]Settings{"one": s}}, plugintest.Env(t, nil))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "hunter") {
					t.Fatalf("err = %v, want %q and no key", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, k := range p.members[0].keys.all {
				got = append(got, k.name, k.secret)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryKeyHasAFingerprint(t *testing.T) {
	p := newPool(t, map[string]string{"A": "one two", "B": "three"}, map[string]Settings{
		"a": settings("https://x/v1", func(s *Settings) { s.APIKeyEnv = "A" }),
		"b": settings("https://x/v1", func(s *Settings) { s.APIKeyEnv = "B" }),
		"c": settings("https://x/v1", nil),
	})
	want := map[string]string{"a": "<one>, <two>", "b": "<three>", "c": ""}
	if diff := cmp.Diff(want, p.Fingerprints(func(key string) string { return "<" + key + ">" })); diff != "" {
		t.Errorf("fingerprints (-want +got):\n%s", diff)
	}
}

// A clock stands still until it is told to go on.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newClock() *clock { return &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

// ring returns the keys a, b and c of an upstream called one, and their clock.
func ring(t *testing.T) (*keys, *clock) {
	t.Helper()
	env, now := plugintest.Env(t, map[string]string{"KEYS": "a b c"}), newClock()
	env.Now = now.Now
	k, err := newKeys("one", Settings{APIKeyEnv: "KEYS"}, env, newKeyMetrics(env.Metrics))
	if err != nil {
		t.Fatal(err)
	}
	return k, now
}

// called returns a call that has asked the upstream one by the named keys.
func called(names ...string) *plugins.Call {
	call := plugins.NewCall("", nil)
	for _, name := range names {
		a := &plugins.Attempt{}
		a.Begin("one", name, "", 0)
		call.Trail.Begin(a)
	}
	return call
}

func TestKeysAreSpread(t *testing.T) {
	tests := []struct {
		name    string
		ejected []string // for as many minutes as their place, from 1
		tried   []string
		want    []string // any of these, and each of them sometimes
		left    bool
	}{
		{"all", nil, nil, []string{"1", "2", "3"}, true},
		{"none that is ejected", []string{"2"}, nil, []string{"1", "3"}, true},
		{"none that was tried", nil, []string{"1", "3"}, []string{"2"}, true},
		{"rather one that was tried than one that is ejected", []string{"2", "3"}, []string{"1"}, []string{"1"}, false},
		{"all again once all were tried", nil, []string{"1", "2", "3"}, []string{"1", "2", "3"}, false},
		{"the one that is back first if all are ejected", []string{"3", "1", "2"}, nil, []string{"3"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, now := ring(t)
			for i, name := range tt.ejected {
				k.all[name[0]-'1'].state.eject(now.now, now.now.Add(time.Duration(i+1)*time.Minute), quota)
			}
			call, seen := called(tt.tried...), map[string]bool{}
			for range 300 {
				seen[k.pick(now.now, call).name] = true
			}
			want := map[string]bool{}
			for _, name := range tt.want {
				want[name] = true
			}
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Errorf("picked (-want +got):\n%s", diff)
			}
			if got := k.left(now.now, &call.Trail, "one"); got != tt.left {
				t.Errorf("left = %t, want %t", got, tt.left)
			}
		})
	}
}

func TestAnEjectedKeyIsBackInTime(t *testing.T) {
	k, now := ring(t)
	for _, one := range k.all[:2] {
		one.state.eject(now.now, now.now.Add(time.Minute), quota)
	}
	if !k.good(now.now) || k.spare(now.now, k.all[2]) {
		t.Error("want the third key alone to be good")
	}
	now.now = now.now.Add(time.Minute)
	if !k.spare(now.now, k.all[2]) || !k.left(now.now, &called("3").Trail, "one") {
		t.Error("the keys are not back")
	}
}

func TestTheOnlyKeyIsNeverLeft(t *testing.T) {
	env := plugintest.Env(t, map[string]string{"KEY": "a"})
	k, err := newKeys("one", Settings{APIKeyEnv: "KEY"}, env, newKeyMetrics(env.Metrics))
	if err != nil {
		t.Fatal(err)
	}
	if !k.left(time.Now(), &called().Trail, "one") || k.left(time.Now(), &called("1").Trail, "one") {
		t.Error("want the key to be left before it was tried, and not after")
	}
}

func TestWhatIsKnownOfAKeyOutlivesAReload(t *testing.T) {
	env, now := plugintest.Env(t, map[string]string{"A": "a b", "B": "b c"}), newClock()
	env.Now = now.Now
	build := func(variable string) *Pool {
		p, err := New(Config{Upstreams: map[string]Settings{
			"one": settings("https://x/v1", func(s *Settings) { s.APIKeyEnv = variable }),
		}}, env)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	build("A").members[0].keys.all[1].state.eject(now.now, now.now.Add(time.Minute), quota)
	after := build("B").members[0].keys
	if got := after.pick(now.now, called()).secret; got != "c" {
		t.Errorf("picked %q, want c: b is ejected by another name", got)
	}
	now.now = now.now.Add(time.Hour)
	if !after.spare(now.now, after.all[1]) {
		t.Error("b is not back")
	}
}
