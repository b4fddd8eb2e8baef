package upstream

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// A mortal is a real upstream that can die: it then breaks off whatever it is
// asked, and what it is about to answer.
type mortal struct {
	*httptest.Server
	dead  atomic.Bool
	asked atomic.Int64
}

func newMortal(t *testing.T) *mortal {
	t.Helper()
	m := &mortal{}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

// ServeHTTP answers with a stream of four events.
func (m *mortal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.asked.Add(1)
	_, _ = io.Copy(io.Discard, r.Body)
	for range 4 {
		if m.dead.Load() {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "data: {}\n\n")
		_ = http.NewResponseController(w).Flush()
	}
}

// errCut says that an answer that had begun was broken off.
var errCut = errors.New("the answer was cut")

// ask asks the pool, and somebody else at once as long as there is somebody. It
// returns who answered.
func ask(t *testing.T, p *Pool) (string, error) {
	t.Helper()
	req := plugintest.Request(t, `{"model":"m"}`)
	for {
		a := &plugins.Attempt{}
		out := req.WithContext(plugins.WithAttempt(req.Context(), a))
		out.Body, _ = req.GetBody()
		res, err := p.RoundTrip(out)
		switch {
		case err == nil:
			_, err = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if err != nil {
				err = errCut
			}
			return a.Upstream(), err
		case a.Alternatives() == 0:
			return a.Upstream(), err
		}
	}
}

// TestOneDyingUnderLoad has 200 ask all the time while one of three upstreams
// dies, and heals.
func TestOneDyingUnderLoad(t *testing.T) {
	var clock atomic.Int64
	ups := map[string]*mortal{"a": newMortal(t), "b": newMortal(t), "c": newMortal(t)}
	pool := map[string]Settings{}
	for name, up := range ups {
		pool[name] = settings(up.URL+"/v1", nil)
	}
	env := plugintest.Env(t, nil)
	env.Now = func() time.Time { return time.Unix(0, clock.Load()) }
	p, err := New(Config{Upstreams: pool, Health: HealthDefaults()}, env)
	if err != nil {
		t.Fatal(err)
	}
	p.Start()
	defer p.Close()
	dying := ups["b"]

	// load has 200 ask n times each, and calls at when half of it is done. It
	// returns how often b was asked meanwhile.
	load := func(n int, at func()) int64 {
		before := dying.asked.Load()
		var done atomic.Int64
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				for range n {
					if who, err := ask(t, p); err != nil && (who != "b" || !errors.Is(err, errCut)) {
						t.Errorf("%s: %v", who, err)
					}
					if done.Add(1) == int64(100*n) {
						at()
					}
				}
			})
		}
		wg.Wait()
		return dying.asked.Load() - before
	}

	if n := load(2, func() {}); n < 400/6 {
		t.Errorf("b was asked %d times of 400 in health, want about a third", n)
	}
	load(4, func() { dying.dead.Store(true) })
	if s := p.Show()[1]; s.State != "ejected" {
		t.Fatalf("b is %+v, want it ejected", s)
	}
	if n := load(1, func() {}); n != 0 {
		t.Errorf("b was asked %d times while it was out, want none", n)
	}
	clock.Add(int64(10 * time.Second))
	if n := load(1, func() {}); n != 1 {
		t.Errorf("b was asked %d times after its time, want the trial", n)
	}
	dying.dead.Store(false)
	clock.Add(int64(20 * time.Second))
	if n := load(4, func() {}); n < 80 {
		t.Errorf("b was asked %d times of 800 after it healed, want about a third", n)
	}
	for _, s := range p.Show() {
		if s.State != "healthy" || s.InFlight != 0 {
			t.Errorf("%s is %s with %d in flight, want it healthy with none", s.Name, s.State, s.InFlight)
		}
	}
}
