package replicas

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/redistest"
)

// Requests that are in flight hold their slots through every reload, whatever
// the rule says by then, and leases that end before they do are renewed.
func TestSlotsOutliveReloads(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	up := serve(t, 0)
	open := up.shut()
	defer open()
	path := configure(t, aboutRedis(s), up.URL, inFlight(4))
	relays := spawn(t, 2, path)
	begun := fly(t, relays[0], up, 4)
	held := 4
	for i := range 10 {
		limit := []int{4, 2, held + 1}[i%3]
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, _, _ := strings.Cut(string(text), "    store:")
		// The hint makes every configuration another one.
		write(t, path, before+inFlight(limit)+"    hint: "+[]string{"1s", "2s"}[i%2]+"\n")
		for _, r := range relays {
			redistest.Await(t, "the reload", func() bool {
				return strings.Count(r.log.all(), `"msg":"configuration loaded"`) >= i+1
			})
		}
		if limit > held {
			more := fly(t, relays[i%2], up, 1)
			was := begun
			begun = func() []asked { return append(was(), more()...) }
			held++
		}
		for _, r := range relays {
			if a := one(r); a.status != http.StatusTooManyRequests {
				t.Errorf("after reload %d, with %d of %d slots held, a request got %d %s", i+1, held, limit, a.status, a.body)
			}
		}
		for key, n := range holders(t, s.Client()) {
			if n != int64(held) {
				t.Errorf("after reload %d %d hold %s, want %d", i+1, n, key, held)
			}
		}
	}
	open()
	for _, a := range begun() {
		if a.status != http.StatusOK {
			t.Errorf("a request that was in flight got %d %s, %v", a.status, a.body, a.err)
		}
	}
	redistest.Await(t, "all slots to be free", func() bool { return len(holders(t, s.Client())) == 0 })
}

// write puts another text in the place of a file.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
