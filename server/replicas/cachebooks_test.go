package replicas

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/redistest"
)

// TestOnePaysForMany has 30 clients' requests share one call: the limit of tokens
// has counted one answer in the end, and so has the access line; the others tell
// what they have saved.
func TestOnePaysForMany(t *testing.T) {
	p := newParrot(t, 200*time.Millisecond)
	config := caching(t, "", p.URL, "ttl: 1h")
	edit(t, config, "log: {access: false}", "log: {access: true}")
	edit(t, config, "limit: {max_in_flight: 0}", "limit: {max_in_flight: 0, rules: {each: {per: client, tokens: {limit: 1000000}}}}")
	r := spawnOne(t, config)
	transport := connections(t)
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if h := tell(t.Context(), transport, r, "ada", told("sheep ", true)); h.status != http.StatusOK {
				t.Errorf("%d %s", h.status, h.body)
			}
		})
	}
	wg.Wait()
	tell(t.Context(), transport, r, "ada", told("sheep ", true))
	of := func(change string) float64 {
		return sum(t, []*relay{r}, "relay_limit_tokens_total", `rule="each"`, `kind="tokens"`, `change="`+change+`"`)
	}
	redistest.Await(t, "one answer is counted", func() bool { return of("reserved")-of("refunded")+of("debt") == 8 })

	got := map[string]int{}
	redistest.Await(t, "every access line", func() bool {
		clear(got)
		for line := range strings.Lines(r.log.all()) {
			var l map[string]any
			if json.Unmarshal([]byte(line), &l) == nil && l["msg"] == "request" {
				got[fmt.Sprint(l["cache"], " ", l["output_tokens"], " ", l["saved_output_tokens"], " ", l["saved_usd"])]++
			}
		}
		return got["HIT <nil> 5 3.603e-06"] == 1
	})
	want := map[string]int{"MISS 5 <nil> <nil>": 1, "COALESCED <nil> 5 3.603e-06": 29, "HIT <nil> 5 3.603e-06": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("access lines (-want +got):\n%s", diff)
	}
	if n := sum(t, []*relay{r}, "relay_cache_saved_tokens_total", `model="m"`, `kind="output"`); n != 150 {
		t.Errorf("%v tokens were saved, want 150", n)
	}
	if n := p.calls(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// edit changes a configuration that is not yet read.
func edit(t *testing.T, path, from, to string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), from) {
		t.Fatalf("%s is not there, %v", from, err)
	}
	write(t, path, strings.Replace(string(text), from, to, 1))
}

// TestAClientPurgesItsOwn goes through the whole of two relays.
func TestAClientPurgesItsOwn(t *testing.T) {
	p := newParrot(t, 0)
	relays := spawn(t, 2, caching(t, aRedis(t), p.URL, "redis: {deadline: 10s}"))
	transport := connections(t)
	send := func(r *relay, client, method, path, body string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+key(client))
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	name := ""
	redistest.Await(t, "both have it", func() bool {
		res := send(relays[0], "ada", http.MethodPost, "/v1/chat/completions", told("sheep ", false))
		_, _ = io.Copy(io.Discard, res.Body)
		name = res.Header.Get("X-Cache-Key")
		other := send(relays[1], "ada", http.MethodPost, "/v1/chat/completions", told("sheep ", false))
		_, _ = io.Copy(io.Discard, other.Body)
		return other.Header.Get("X-Cache") == "HIT"
	})
	for _, s := range []struct {
		client, key string
		status      int
		body        string
	}{
		{"bob", name, http.StatusOK, `{"object":"cache.deleted","key":"` + name + `","deleted":false}`},
		{"ada", "x", http.StatusBadRequest, `invalid_cache_key`},
		{"ada", name, http.StatusOK, `{"object":"cache.deleted","key":"` + name + `","deleted":true}`},
	} {
		res := send(relays[0], s.client, http.MethodDelete, "/v1/cache/"+s.key, "")
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != s.status || !strings.Contains(string(body), s.body) {
			t.Errorf("%s got %d %s, want %d %s", s.client, res.StatusCode, body, s.status, s.body)
		}
	}
	redistest.Await(t, "the other replica has purged too", func() bool {
		return strings.Contains(relays[1].operator(t, "/cache"), `"entries":0,`)
	})
}
