package replicas

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/internal/redistest"
)

// caching writes a configuration with the given settings of cache, as a YAML flow
// mapping without its braces.
func caching(t testing.TB, redis, upstream, settings string) (path string) {
	t.Helper()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(adminToken), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nadmin_token_file: " + token +
		"\ndrain_delay: 0s\nchain: [auth, limit, cache, retry]\nlog: {access: false}\n" + prices
	if redis != "" {
		text += redis + "\n"
	}
	text += "upstreams: {up: {base_url: \"" + upstream + "/v1\"}}\nplugins:\n  auth:\n    clients:\n"
	for _, name := range clients {
		text += "      " + name + ": {group: all, keys: {one: {sha256: " + credential.Hash(key(name)) + "}}}\n"
	}
	text += "  limit: {max_in_flight: 0}\n  cache: {" + settings + "}\n"
	path = filepath.Join(t.TempDir(), "relay.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// adminToken is that of operators.
const adminToken = "an-admin-token-of-the-tests-0123456789"

// operate has an operator change something.
func (r *relay) operate(t testing.TB, method, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.admin+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, _ := io.ReadAll(res.Body)
	return string(body)
}

// A heard is what one client got of a relay.
type heard struct {
	status int
	cache  string
	body   string
	took   time.Duration
	err    error
}

// tell asks a relay.
func tell(ctx context.Context, transport http.RoundTripper, r *relay, client, body string) (h heard) {
	begin := time.Now()
	defer func() { h.took = time.Since(begin) }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return heard{err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key(client))
	res, err := transport.RoundTrip(req)
	if err != nil {
		return heard{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return heard{status: res.StatusCode, cache: res.Header.Get("X-Cache"), body: string(text), err: err}
}

// connections returns a transport of many connections, which ends with the test.
func connections(t testing.TB) *http.Transport {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 2000, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// TestAThousandEqualAsks has 1,000 clients ask three replicas the same at once,
// every other one for a stream.
func TestAThousandEqualAsks(t *testing.T) {
	tests := []struct {
		name, settings string
		most           int
	}{
		{"two forms", "", 6},
		{"one form", ", convert: true", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newParrot(t, 300*time.Millisecond)
			// A replica that is too busy to ask Redis in time asks for itself.
			settings := "redis: {deadline: 10s}, coalesce: {wait: 1m, lease: 10s}" + tt.settings
			relays := spawn(t, 3, caching(t, aRedis(t), p.URL, settings))
			transport := connections(t)
			var wg sync.WaitGroup
			all := make([]heard, 1000)
			for i := range all {
				wg.Go(func() { all[i] = tell(t.Context(), transport, relays[i%3], "ada", told("sheep ", i%2 == 0)) })
			}
			wg.Wait()
			results := map[string]int{}
			for i, h := range all {
				if h.err != nil || h.status != http.StatusOK {
					t.Fatalf("client %d got %d, %v, %s", i, h.status, h.err, h.body)
				}
				says(t, h.body, "sheep ", i%2 == 0)
				results[h.cache]++
			}
			t.Logf("%d calls of the upstream; %v", p.calls(), results)
			if n := p.calls(); n < 1 || n > tt.most {
				t.Errorf("%d calls of the upstream, want %d at most", n, tt.most)
			}
		})
	}
}

// TestAReplicaCrashesWhileOthersWait kills the one that asks: the other one waits
// no longer than the lease, and then asks for itself.
func TestAReplicaCrashesWhileOthersWait(t *testing.T) {
	p := newParrot(t, 4*time.Second)
	relays := spawn(t, 2, caching(t, aRedis(t), p.URL, "redis: {deadline: 10s}, coalesce: {wait: 1m, lease: 500ms}"))
	transport := connections(t)
	first, second := make(chan heard, 1), make(chan heard, 1)
	go func() { first <- tell(t.Context(), transport, relays[0], "ada", told("sheep ", false)) }()
	redistest.Await(t, "the first one asks", func() bool { return p.calls() == 1 })
	go func() { second <- tell(t.Context(), transport, relays[1], "ada", told("sheep ", false)) }()
	time.Sleep(time.Second) // several looks of the one that waits
	if n := p.calls(); n != 1 {
		t.Errorf("%d calls, want the second one to wait", n)
	}
	if err := relays[0].process.Kill(); err != nil {
		t.Fatal(err)
	}
	if h := <-first; h.err == nil {
		t.Errorf("the killed one answered %d", h.status)
	}
	h := <-second
	if h.err != nil || h.status != http.StatusOK || h.cache != "MISS" {
		t.Errorf("the other one answered %d, %s, %v", h.status, h.cache, h.err)
	}
	says(t, h.body, "sheep ", false)
	if n := p.calls(); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
}

// TestTenantsAcrossReplicas has each client ask the same of both: nobody gets
// another's, and each finds its own on the other replica.
func TestTenantsAcrossReplicas(t *testing.T) {
	p := newParrot(t, 0)
	relays := spawn(t, 2, caching(t, aRedis(t), p.URL, "redis: {deadline: 10s}"))
	transport := connections(t)
	for i, client := range clients {
		if h := tell(t.Context(), transport, relays[0], client, told("sheep ", true)); h.cache != "MISS" || p.calls() != i+1 {
			t.Errorf("%s got a %s after %d calls", client, h.cache, p.calls())
		}
	}
	for _, client := range clients {
		got := heard{}
		redistest.Await(t, "the answer has come to Redis", func() bool {
			got = tell(t.Context(), transport, relays[1], client, told("sheep ", true))
			return got.cache == "HIT"
		})
		says(t, got.body, "sheep ", true)
	}
	tier := sum(t, relays, "relay_cache_hits_total", `tier="redis"`)
	if tier != float64(len(clients)) {
		t.Errorf("%v answers came from Redis, want %d", tier, len(clients))
	}
	if got := relays[0].operate(t, http.MethodDelete, "/cache?client=ada"); !strings.Contains(got, `"redis":1`) {
		t.Errorf("the purge answered %s", got)
	}
	redistest.Await(t, "the other replica has purged too", func() bool {
		return strings.Contains(relays[1].operator(t, "/cache"), fmt.Sprintf(`"entries":%d,`, len(clients)-1))
	})
}
