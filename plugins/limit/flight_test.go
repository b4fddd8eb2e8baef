package limit

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// answer is how an upstream and a client end a request.
type answer struct {
	name  string
	fetch func(*http.Request) (*http.Response, error)
	end   func(*http.Response) // what the client does; nil if there is no answer
}

func answers() []answer {
	plain := func(req *http.Request) (*http.Response, error) { return plugintest.Response(req, 200, "{}"), nil }
	upgrade := func(req *http.Request) (*http.Response, error) {
		res := plugintest.Response(req, 101, "")
		res.Body, _ = net.Pipe()
		return res, nil
	}
	broken := func(req *http.Request) (*http.Response, error) {
		res := plugintest.Response(req, 200, "")
		res.Body = io.NopCloser(io.MultiReader(strings.NewReader("data"), failing{}))
		return res, nil
	}
	none := func(req *http.Request) (*http.Response, error) {
		res := plugintest.Response(req, 204, "")
		res.Body = http.NoBody
		return res, nil
	}
	readAll := func(res *http.Response) { _, _ = io.Copy(io.Discard, res.Body) }
	shut := func(res *http.Response) { _ = res.Body.Close() }
	return []answer{
		{"the body is read to its end", plain, readAll},
		{"the body is read and closed", plain, func(res *http.Response) { readAll(res); shut(res); shut(res) }},
		{"the client goes before the end", plain, shut},
		{"the upstream breaks off", broken, readAll},
		{"there is no body", none, shut},
		{"the upgraded connection is closed", upgrade, shut},
		{"there is no answer", func(*http.Request) (*http.Response, error) { return nil, errors.New("unreachable") }, nil},
		{"the next one panics", func(*http.Request) (*http.Response, error) { panic(http.ErrAbortHandler) }, nil},
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestASlotIsHeldToTheEnd holds every way in which a request can end to giving
// its slots back then, not before, and once.
func TestASlotIsHeldToTheEnd(t *testing.T) {
	for _, tt := range answers() {
		t.Run(tt.name, func(t *testing.T) {
			link := build(t, plugintest.Env(t, nil), func(s *Settings) {
				s.MaxInFlight = 5
				s.Rules = map[string]Rule{"each": {Per: perClient, InFlight: 3}}
			})
			other := open(t, link.Fetch(plugintest.Answers(200)), "ada")
			during := int64(0)
			rt := link.Fetch(plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
				during = inFlight(t, link, replica)
				return tt.fetch(req)
			}))
			if res := roundTrip(t, rt); res != nil {
				if n := inFlight(t, link, replica); n != 2 {
					t.Errorf("before the end %d in flight, want 2", n)
				}
				tt.end(res)
			}
			if after := inFlight(t, link, replica); during != 2 || after != 1 {
				t.Errorf("during the request %d in flight, after it %d, want 2 and 1", during, after)
			}
			_ = other.Close()
			if left := counters(t, link, "")["each"].Counters; len(left) != 0 {
				t.Errorf("counters are left: %v", left)
			}
		})
	}
}

// roundTrip returns the answer of rt, or nil for an error or a panic.
func roundTrip(t *testing.T, rt http.RoundTripper) (res *http.Response) {
	t.Helper()
	defer func() { _ = recover() }()
	res, _ = rt.RoundTrip(plugintest.Client(plugintest.Request(t, `{}`), "ada"))
	return res
}

func TestAClientThatLeavesBeforeTheAnswerGivesItsSlotBack(t *testing.T) {
	link := build(t, plugintest.Env(t, nil), func(s *Settings) { s.MaxInFlight = 1 })
	asked := make(chan struct{})
	rt := link.Fetch(plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		close(asked)
		<-req.Context().Done()
		return nil, req.Context().Err()
	}))
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := rt.RoundTrip(plugintest.Request(t, `{}`).WithContext(ctx))
		done <- err
	}()
	<-asked
	leave()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if n := inFlight(t, link, replica); n != 0 {
		t.Errorf("%d in flight, want 0", n)
	}
}

// TestCapIsExact sends from 200 goroutines of two clients at once against slots
// for 10 in all and for 3 of each: 6 are let through.
func TestCapIsExact(t *testing.T) {
	link := build(t, plugintest.Env(t, nil), func(s *Settings) {
		s.MaxInFlight = 10
		s.Rules = map[string]Rule{"each": {Per: perClient, InFlight: 3}}
	})
	upstream := plugintest.Answers(200)
	rt := link.Fetch(upstream)
	var wg sync.WaitGroup
	bodies := make(chan io.Closer, 200)
	for i := range 200 {
		wg.Go(func() { bodies <- open(t, rt, []string{"ada", "bob"}[i%2]) })
	}
	wg.Wait()
	close(bodies)
	if n := inFlight(t, link, replica); n != 6 || upstream.Asked() != 6 {
		t.Errorf("%d slots are held, %d requests were let through, want 6 and 6", n, upstream.Asked())
	}
	for body := range bodies {
		if body != nil {
			_ = body.Close()
		}
	}
	if n := inFlight(t, link, replica); n != 0 {
		t.Errorf("in the end %d slots are held, want 0", n)
	}
}

// TestCapHoldsUnderChurn has 200 goroutines come and go through 30 generations
// at once: never are more than 5 in flight, and in the end none is.
func TestCapHoldsUnderChurn(t *testing.T) {
	var now, over atomic.Int64
	upstream := plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		if now.Add(1) > 5 {
			over.Add(1)
		}
		return plugintest.Response(req, 200, "{}"), nil
	})
	env := plugintest.Env(t, nil)
	links := make([]plugins.Link, 30)
	for i := range links {
		links[i] = build(t, env, func(s *Settings) { s.MaxInFlight = 5 })
	}
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			for j := range 20 {
				if body := open(t, links[(i+j)%30].Fetch(upstream), "ada"); body != nil {
					now.Add(-1)
					_ = body.Close()
				}
			}
		})
	}
	wg.Wait()
	if n := inFlight(t, links[0], replica); over.Load() != 0 || n != 0 {
		t.Errorf("%d times too many were in flight, %d are still, want 0 and 0", over.Load(), n)
	}
}
