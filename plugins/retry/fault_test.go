package retry

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// errBusy is an error of a single upstream, so that another may do better.
var errBusy = &plugins.Error{Status: http.StatusServiceUnavailable, Code: "busy", Again: true}

// faulted is an answer with a fault.
func faulted(f plugins.Fault, answer func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		plugins.AttemptOf(req.Context()).SetFault(f)
		return answer(req)
	}
}

func TestFaultsThatNoStatusTells(t *testing.T) {
	wants := func(after string) error { return errBusy.With(http.Header{"Retry-After": {after}}) }
	tests := []struct {
		name   string
		up     *plugintest.Upstream
		names  []string // of the upstreams; one if it is nil
		status int
		err    error
		asked  int
		waits  time.Duration
	}{
		{name: "a refused key is followed by another at once", up: upstream().Then(faulted(plugins.FaultKey, says(401))).Then(says(200)), status: 200, asked: 2},
		{name: "whatever the refusal says of waits", up: upstream().Then(faulted(plugins.FaultKey, says(429, "Retry-After", "3600"))).Then(says(200)), status: 200, asked: 2},
		{name: "and whatever it says of retries", up: upstream().Then(faulted(plugins.FaultKey, says(401, "x-should-retry", "false"))).Then(says(200)), status: 200, asked: 2},
		{name: "the last refusal of a key is the client's answer", up: upstream().Then(faulted(plugins.FaultKey, says(401))), status: 401, asked: 3},
		{name: "a stream that begins with an error is a failure", up: upstream().Then(faulted(plugins.FaultEvent, says(200))).Then(says(200)), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "its Retry-After counts", up: upstream().Then(faulted(plugins.FaultEvent, says(200, "Retry-After", "1"))).Then(says(200)), status: 200, asked: 2, waits: 1100 * time.Millisecond},
		{name: "another upstream needs no wait", up: upstream().Then(faulted(plugins.FaultEvent, says(200))).Then(says(200)), names: []string{"a", "b"}, status: 200, asked: 2},
		{name: "the last such stream is the client's answer", up: upstream().Then(faulted(plugins.FaultEvent, says(200))), status: 200, asked: 3, waits: 300 * time.Millisecond},
		{name: "the upstream forbids it", up: upstream().Then(faulted(plugins.FaultEvent, says(200, "x-should-retry", "false"))), status: 200, asked: 1},
		{name: "an error of one upstream is a failure", up: upstream().Then(fails(errBusy)).Then(says(200)), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "also inside of another error", up: upstream().Then(fails(errors.Join(errRefused, errBusy))).Then(says(200)), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "its Retry-After counts too", up: upstream().Then(fails(wants("2"))).Then(says(200)), status: 200, asked: 2, waits: 2100 * time.Millisecond},
		{name: "a long one is final", up: upstream().Then(fails(wants("3600"))), err: errBusy, asked: 1},
		{name: "but for another upstream", up: upstream().Then(fails(wants("3600"))).Then(says(200)), names: []string{"a", "b"}, status: 200, asked: 2},
		{name: "the last error is the client's", up: upstream().Then(fails(errBusy)), err: errBusy, asked: 3, waits: 300 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if tt.names == nil {
					tt.names = []string{"a"}
				}
				start := time.Now()
				res, err := build(t, nil, pool(tt.up, tt.names...)).RoundTrip(plugintest.Request(t, "{}"))
				if got := time.Since(start); got != tt.waits {
					t.Errorf("waited %s, want %s", got, tt.waits)
				}
				if got := status(res); got != tt.status || !errors.Is(err, tt.err) {
					t.Errorf("got %d, %v, want %d, %v", got, err, tt.status, tt.err)
				}
				if got := tt.up.Asked(); got != tt.asked {
					t.Errorf("asked %d times, want %d", got, tt.asked)
				}
			})
		})
	}
}

// TestEachAttemptHasItsOwnNotes shows that a fault of one attempt is not taken
// for one of the next.
func TestEachAttemptHasItsOwnNotes(t *testing.T) {
	var notes []*plugins.Attempt
	up := upstream().Then(faulted(plugins.FaultKey, says(401))).Then(says(200))
	r := build(t, nil, plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		notes = append(notes, plugins.AttemptOf(req.Context()))
		return up.RoundTrip(req)
	}))
	res, err := r.RoundTrip(plugintest.Request(t, "{}"))
	if err != nil || status(res) != http.StatusOK || len(notes) != 2 {
		t.Fatalf("got %v, %v after %d attempts, want 200 after 2", res, err, len(notes))
	}
	if notes[0] == nil || notes[0] == notes[1] || notes[1].Fault() != plugins.NoFault {
		t.Errorf("the attempts are %p and %p, want two", notes[0], notes[1])
	}
}

// TestAnAttemptThatAskedNobodyWaits has the pool find nobody to ask, as when
// all are busy: that an earlier attempt had alternatives is no reason to hurry.
func TestAnAttemptThatAskedNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		r := build(t, nil, plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			if n++; n == 2 {
				return nil, errBusy
			}
			return pool(plugintest.Answers(503), "a", "b").RoundTrip(req)
		}))
		start := time.Now()
		res, err := r.RoundTrip(plugintest.Request(t, "{}"))
		if err != nil || status(res) != http.StatusServiceUnavailable || n != 3 {
			t.Errorf("got %v, %v after %d attempts, want 503 after 3", res, err, n)
		}
		if got := time.Since(start); got != 200*time.Millisecond {
			t.Errorf("waited %s, want 200ms", got)
		}
	})
}
