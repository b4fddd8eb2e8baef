package retry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

var errLeft = errors.New("the client left")

func TestTheClientLeavesInAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancelCause(t.Context())
		time.AfterFunc(30*time.Millisecond, func() { leave(errLeft) })
		up, dropped := plugintest.Answers(503), newBody("{}")
		req := plugintest.Request(t, "{}").WithContext(ctx)
		req.GetBody = func() (io.ReadCloser, error) { return dropped, nil }
		start := time.Now()
		res, err := build(t, nil, up).RoundTrip(req)
		if res != nil || !errors.Is(err, errLeft) {
			t.Errorf("got %v, %v, want no answer and %v", res, err, errLeft)
		}
		if got := time.Since(start); got != 30*time.Millisecond {
			t.Errorf("returned after %s, want at once after 30ms", got)
		}
		if up.Asked() != 1 || len(dropped.closed) != 1 {
			t.Errorf("asked %d times, closed the next body %d times, want 1 and 1", up.Asked(), len(dropped.closed))
		}
	})
}

func TestTheClientLeavesInAnAttempt(t *testing.T) {
	tests := []struct {
		name   string
		answer func(*http.Request) (*http.Response, error)
		status int
		err    error
	}{
		{"no answer", fails(errRefused), 0, errLeft},
		{"an answer that passes", says(503), 0, errLeft},
		{"a good answer", says(200), 200, nil},
		{"a final answer", says(404), 404, nil},
		{"a refusal that has nothing to do with it", fails(plugins.ErrAmbiguousBody), 0, plugins.ErrAmbiguousBody},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, leave := context.WithCancelCause(t.Context())
				up := upstream().Then(func(req *http.Request) (*http.Response, error) {
					leave(errLeft)
					return tt.answer(req)
				})
				start := time.Now()
				res, err := build(t, nil, up).RoundTrip(plugintest.Request(t, "{}").WithContext(ctx))
				if status(res) != tt.status || !errors.Is(err, tt.err) {
					t.Errorf("got %v, %v, want %d, %v", res, err, tt.status, tt.err)
				}
				if up.Asked() != 1 || time.Since(start) != 0 {
					t.Errorf("asked %d times in %s, want once in no time", up.Asked(), time.Since(start))
				}
			})
		})
	}
}

func TestAnAnswerThatNobodyWaitsForIsClosed(t *testing.T) {
	ctx, leave := context.WithCancelCause(t.Context())
	busy := newBody("busy")
	up := upstream().Then(func(req *http.Request) (*http.Response, error) {
		leave(errLeft)
		return with(503, busy)(req)
	})
	res, err := build(t, nil, up).RoundTrip(plugintest.Request(t, "{}").WithContext(ctx))
	if res != nil || !errors.Is(err, errLeft) || len(busy.closed) != 1 {
		t.Errorf("got %v, %v, closed %d times, want no answer, %v, once", res, err, len(busy.closed), errLeft)
	}
}

func TestTheRequestsTimeEnds(t *testing.T) {
	tests := []struct {
		name   string
		within time.Duration
		up     *plugintest.Upstream
		status int
		err    error
		asked  int
		took   time.Duration
	}{
		{
			name: "a wait that would outlast it is not begun", within: 250 * time.Millisecond,
			up: plugintest.Answers(503), status: 503, asked: 2, took: 100 * time.Millisecond,
		},
		{
			name: "without an answer neither", within: 250 * time.Millisecond,
			up: upstream().Then(fails(errRefused)), err: errRefused, asked: 2, took: 100 * time.Millisecond,
		},
		{
			name: "an attempt that it cut is the last", within: time.Second,
			up: upstream().Then(stalls), err: context.DeadlineExceeded, asked: 1, took: time.Second,
		},
		{
			name: "one that is long enough changes nothing", within: time.Second,
			up: plugintest.Answers(503), status: 503, asked: 3, took: 300 * time.Millisecond,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.within)
				defer cancel()
				start := time.Now()
				res, err := build(t, nil, tt.up).RoundTrip(plugintest.Request(t, "{}").WithContext(ctx))
				if got := time.Since(start); got != tt.took {
					t.Errorf("took %s, want %s", got, tt.took)
				}
				if status(res) != tt.status || !errors.Is(err, tt.err) {
					t.Errorf("got %v, %v, want %d, %v", res, err, tt.status, tt.err)
				}
				if got := tt.up.Asked(); got != tt.asked {
					t.Errorf("asked %d times, want %d", got, tt.asked)
				}
			})
		})
	}
}

// due is a context that has a deadline and does not end with it, as that of the
// server, which lets a stream run on.
type due struct {
	context.Context
	at time.Time
}

func (d due) Deadline() (time.Time, bool) { return d.at, true }

func TestNoAttemptIsBegunWhenTheTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := upstream().Then(func(req *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return says(503)(req)
		})
		ctx := due{t.Context(), time.Now().Add(time.Second)}
		r := build(t, nil, pool(up, "a", "b"))
		req := plugintest.Request(t, "{}")
		res, err := r.RoundTrip(req.WithContext(plugins.WithCall(ctx, plugins.CallOf(req.Context()))))
		if err != nil || status(res) != http.StatusServiceUnavailable || up.Asked() != 1 {
			t.Errorf("got %v, %v after %d attempts, want 503 after one", res, err, up.Asked())
		}
		if value(t, r.metrics.requests[tooLate]) != 1 {
			t.Error("it did not end with the deadline")
		}
	})
}

// stalls is an answer that does not come before the request ends.
func stalls(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}
