package retry

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

const embeddings = "/v1/embeddings"

// hedging returns a retrier that hedges embeddings, of which 95 of a hundred
// have taken at most 100ms so far.
func hedging(t testing.TB, change func(*Settings), up http.RoundTripper) *retrier {
	t.Helper()
	r := build(t, func(s *Settings) {
		s.Hedge.Endpoints = []string{embeddings}
		if change != nil {
			change(s)
		}
	}, up)
	for i := range hedgeKnown {
		if w := r.took[embeddings]; w != nil {
			w.Add(101*time.Millisecond - time.Duration(hedgeKnown-1-i)*time.Millisecond)
		}
	}
	return r
}

// embed is a request of a hedged endpoint.
func embed(t testing.TB, body string) *http.Request {
	t.Helper()
	req := plugintest.Request(t, body)
	req.URL.Path = embeddings
	return req
}

// names are of upstreams, and noted by many.
type names struct {
	mu  sync.Mutex
	all []string
}

func (n *names) note(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, name)
}

func (n *names) list() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.all)
}

// after is an answer that takes its time, and whose upstream is noted in gone,
// if that is not nil, if the request ends before.
func after(d time.Duration, gone *names, answer func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return answer(req)
		case <-req.Context().Done():
			if gone != nil {
				gone.note(plugins.AttemptOf(req.Context()).Upstream())
			}
			return nil, req.Context().Err()
		}
	}
}

func TestARace(t *testing.T) {
	const ms = time.Millisecond
	type answer struct {
		after time.Duration
		says  func(*http.Request) (*http.Response, error)
	}
	good, busy, dead, no := says(200), says(503), fails(errRefused), fails(plugins.ErrAmbiguousBody)
	final := plugins.ErrAmbiguousBody
	tests := []struct {
		name     string
		answers  []answer
		status   int
		err      error
		took     time.Duration
		asked    int
		by       string   // whose answer it is, of a, b and c in the order of attempts
		gone     []string // that were canceled
		hedge    hedge    // "" is none
		attempts map[outcome]float64
		ends     result
	}{
		{
			name: "a fast answer needs no second", answers: []answer{{99 * ms, good}},
			status: 200, took: 99 * ms, asked: 1, by: "a", attempts: map[outcome]float64{answered: 1}, ends: first,
		},
		{
			name: "the second begins when nearly all have been answered, and wins", answers: []answer{{time.Second, good}, {30 * ms, good}},
			status: 200, took: 130 * ms, asked: 2, by: "b", gone: []string{"a"}, hedge: hedgeWon,
			attempts: map[outcome]float64{answered: 1, overtaken: 1}, ends: retried,
		},
		{
			name: "the first wins after all", answers: []answer{{120 * ms, good}, {time.Second, good}},
			status: 200, took: 120 * ms, asked: 2, by: "a", gone: []string{"b"}, hedge: hedgeLost,
			attempts: map[outcome]float64{answered: 1, overtaken: 1}, ends: first,
		},
		{
			name: "an answer that stands is one, whatever its status", answers: []answer{{time.Second, good}, {30 * ms, says(404)}},
			status: 404, took: 130 * ms, asked: 2, by: "b", gone: []string{"a"}, hedge: hedgeWon,
			attempts: map[outcome]float64{answered: 1, overtaken: 1}, ends: retried,
		},
		{
			name: "the first fails", answers: []answer{{120 * ms, busy}, {50 * ms, good}},
			status: 200, took: 150 * ms, asked: 2, by: "b", hedge: hedgeWon,
			attempts: map[outcome]float64{failed: 1, answered: 1}, ends: retried,
		},
		{
			name: "the first fails before there is a second", answers: []answer{{50 * ms, busy}, {time.Second, good}},
			status: 200, took: 1050 * ms, asked: 2, by: "b",
			attempts: map[outcome]float64{failed: 1, answered: 1}, ends: retried,
		},
		{
			name: "the second fails", answers: []answer{{time.Second, good}, {50 * ms, busy}},
			status: 200, took: time.Second, asked: 2, by: "a", hedge: hedgeFailed,
			attempts: map[outcome]float64{failed: 1, answered: 1}, ends: first,
		},
		{
			name: "both fail, the second last", answers: []answer{{120 * ms, busy}, {50 * ms, dead}, {0, good}},
			status: 200, took: 150 * ms, asked: 3, by: "c", hedge: hedgeFailed,
			attempts: map[outcome]float64{failed: 1, broken: 1, answered: 1}, ends: retried,
		},
		{
			name: "both fail, the first last", answers: []answer{{200 * ms, busy}, {50 * ms, dead}, {0, good}},
			status: 200, took: 200 * ms, asked: 3, by: "c", hedge: hedgeFailed,
			attempts: map[outcome]float64{failed: 1, broken: 1, answered: 1}, ends: retried,
		},
		{
			name: "a refusal of the first is final, but waits for the second", answers: []answer{{120 * ms, no}, {50 * ms, busy}},
			err: final, took: 150 * ms, asked: 2, by: "a", hedge: hedgeFailed,
			attempts: map[outcome]float64{refused: 1, failed: 1}, ends: first,
		},
		{
			name: "which may still answer", answers: []answer{{120 * ms, no}, {50 * ms, good}},
			status: 200, took: 150 * ms, asked: 2, by: "b", hedge: hedgeWon,
			attempts: map[outcome]float64{refused: 1, answered: 1}, ends: retried,
		},
		{
			name: "a refusal of the second tells nothing", answers: []answer{{120 * ms, busy}, {50 * ms, no}, {0, good}},
			status: 200, took: 150 * ms, asked: 3, by: "c", hedge: hedgeFailed,
			attempts: map[outcome]float64{failed: 1, refused: 1, answered: 1}, ends: retried,
		},
		{
			name: "every attempt fails", answers: []answer{{120 * ms, busy}, {50 * ms, dead}, {0, busy}},
			status: 503, took: 150 * ms, asked: 3, by: "c", hedge: hedgeFailed,
			attempts: map[outcome]float64{failed: 2, broken: 1}, ends: exhausted,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up, gone := upstream(), &names{}
				for _, a := range tt.answers {
					up.Then(after(a.after, gone, a.says))
				}
				r, req, start := hedging(t, nil, pool(up, "a", "b", "c")), embed(t, "{}"), time.Now()
				res, err := r.RoundTrip(req)
				if got := time.Since(start); got != tt.took {
					t.Errorf("took %s, want %s", got, tt.took)
				}
				if status(res) != tt.status || !errors.Is(err, tt.err) {
					t.Errorf("got %v, %v, want %d, %v", res, err, tt.status, tt.err)
				}
				call := plugins.CallOf(req.Context())
				if got := call.Header("X-Relay-Upstream"); got != tt.by || call.Trail.Last() != tt.by || up.Asked() != tt.asked {
					t.Errorf("the answer is %s's after %d attempts, want %s's after %d", got, up.Asked(), tt.by, tt.asked)
				}
				if diff := gocmp.Diff(gone.list(), tt.gone); diff != "" {
					t.Errorf("canceled (-got +want):\n%s", diff)
				}
				if diff := gocmp.Diff(counts(t, r.metrics.attempts), tt.attempts); diff != "" {
					t.Errorf("attempts (-got +want):\n%s", diff)
				}
				hedges := map[hedge]float64{}
				if tt.hedge != "" {
					hedges[tt.hedge] = 1
				}
				if diff := gocmp.Diff(counts(t, r.metrics.hedges), hedges); diff != "" {
					t.Errorf("hedges (-got +want):\n%s", diff)
				}
				if value(t, r.metrics.requests[tt.ends]) != 1 || call.Fault() != nil {
					t.Errorf("it did not end with %s, or with the fault %v", tt.ends, call.Fault())
				}
			})
		})
	}
}

func TestWhatIsNotAskedTwiceAtOnce(t *testing.T) {
	tests := []struct {
		name    string
		change  func(*Settings)
		body    string
		request func(*http.Request) *http.Request
		denied  float64 // for want of a budget
	}{
		{name: "another endpoint", request: func(req *http.Request) *http.Request { req.URL.Path += "/x"; return req }},
		{name: "another method", request: func(req *http.Request) *http.Request { req.Method = http.MethodPut; return req }},
		{name: "an upgrade", request: func(req *http.Request) *http.Request { req.Header.Set("Upgrade", "websocket"); return req }},
		{name: "a stream", body: `{"stream":true}`},
		{name: "what may be one", body: `{"stream":false,"stream":true}`},
		{name: "a body that passes once", request: withoutGetBody},
		{name: "a body that is too long", request: func(req *http.Request) *http.Request { req.Body = once{req.Body}; return req }},
		{name: "where nothing is asked again", change: func(s *Settings) { s.Attempts = 1 }},
		{name: "where no endpoint is named", change: func(s *Settings) { s.Hedge.Endpoints = nil }},
		{name: "where another is", change: func(s *Settings) { s.Hedge.Endpoints = []string{"/v1/rerank"} }},
		{name: "beyond the budget", change: func(s *Settings) { s.Budget = Budget{Percent: 1} }, denied: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := upstream().Then(after(time.Second, nil, says(200)))
				r, req, start := hedging(t, tt.change, up), embed(t, cmp.Or(tt.body, "{}")), time.Now()
				if tt.request != nil {
					req = tt.request(req)
				}
				res, err := r.RoundTrip(req)
				if err != nil || status(res) != http.StatusOK || time.Since(start) != time.Second {
					t.Errorf("got %v, %v after %s, want 200 after 1s", res, err, time.Since(start))
				}
				if up.Asked() != 1 || value(t, r.metrics.hedges[hedgeDenied]) != tt.denied {
					t.Errorf("asked %d times, denied %v, want once", up.Asked(), value(t, r.metrics.hedges[hedgeDenied]))
				}
			})
		})
	}
}

// once is a body that knows that it cannot be read twice, though GetBody is
// there.
type once struct{ io.ReadCloser }

func (once) Replayable() bool { return false }
