package retry

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errRefused = errors.New("connection refused")

// build returns a retrier over up that waits as long as it may instead of a
// random time.
func build(t testing.TB, change func(*Settings), up http.RoundTripper) *retrier {
	t.Helper()
	link := plugintest.Link(t, Plugin, plugintest.Env(t, nil), change)
	r := link.Fetch(up).(*retrier)
	r.jitter = func(most time.Duration) time.Duration { return most }
	return r
}

// read returns the body of res and closes it.
func read(t testing.TB, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Errorf("reading the answer: %v", err)
	}
	_ = res.Body.Close()
	return string(b)
}

// fails is an answer that never comes.
func fails(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// says is an answer with headers, given as name and value in turn.
func says(status int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		res := plugintest.Response(req, status, "{}")
		for i := 0; i < len(header); i += 2 {
			res.Header.Set(header[i], header[i+1])
		}
		return res, nil
	}
}

func upstream() *plugintest.Upstream { return plugintest.Answers() }

func TestWhatIsAskedAgain(t *testing.T) {
	final := plugins.ErrAmbiguousBody
	tests := []struct {
		name     string
		attempts int
		up       *plugintest.Upstream
		status   int   // 0 if there is no answer
		err      error // what the error is
		asked    int
		waits    time.Duration
	}{
		{name: "the first answer is good", attempts: 3, up: plugintest.Answers(200), status: 200, asked: 1},
		{name: "the second answer is good", attempts: 3, up: plugintest.Answers(503, 200), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "no answer is good", attempts: 3, up: plugintest.Answers(503), status: 503, asked: 3, waits: 300 * time.Millisecond},
		{name: "the wait doubles up to the longest", attempts: 6, up: plugintest.Answers(503), status: 503, asked: 6, waits: 2300 * time.Millisecond},
		{name: "one attempt is one", attempts: 1, up: plugintest.Answers(503, 200), status: 503, asked: 1},
		{name: "a client's fault is final", attempts: 3, up: plugintest.Answers(400), status: 400, asked: 1},
		{name: "a missing model is final", attempts: 3, up: plugintest.Answers(404), status: 404, asked: 1},
		{name: "a redirect is final", attempts: 3, up: plugintest.Answers(307), status: 307, asked: 1},
		{name: "408 passes", attempts: 2, up: plugintest.Answers(408, 200), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "409 passes", attempts: 2, up: plugintest.Answers(409, 200), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "429 passes", attempts: 2, up: plugintest.Answers(429, 200), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "500 passes", attempts: 2, up: plugintest.Answers(500, 200), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "502 passes", attempts: 2, up: plugintest.Answers(502, 200), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "504 passes", attempts: 2, up: plugintest.Answers(504, 200), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "529 is nobody's and counts as 500", attempts: 2, up: plugintest.Answers(529, 200), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "499 is nobody's and counts as 400", attempts: 2, up: plugintest.Answers(499), status: 499, asked: 1},
		{name: "a connection that fails passes", attempts: 2, up: upstream().Then(fails(errRefused)).Then(says(200)), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "no connection holds", attempts: 3, up: upstream().Then(fails(errRefused)), err: errRefused, asked: 3, waits: 300 * time.Millisecond},
		{name: "the last failure counts, not an answer before it", attempts: 2, up: plugintest.Answers(503).Then(fails(errRefused)), err: errRefused, asked: 2, waits: 100 * time.Millisecond},
		{name: "a refusal from inside is final", attempts: 3, up: upstream().Then(fails(final.Because(errRefused))), err: final, asked: 1},
		{name: "a refusal from inside is final later too", attempts: 3, up: plugintest.Answers(503).Then(fails(final)), err: final, asked: 2, waits: 100 * time.Millisecond},
		{name: "the upstream forbids it", attempts: 3, up: upstream().Then(says(503, "x-should-retry", "false")), status: 503, asked: 1},
		{name: "the upstream wants it", attempts: 2, up: upstream().Then(says(400, "x-should-retry", "true")).Then(says(200)), status: 200, asked: 2, waits: 100 * time.Millisecond},
		{name: "nobody wants a good answer again", attempts: 2, up: upstream().Then(says(200, "x-should-retry", "true")), status: 200, asked: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := build(t, func(s *Settings) { s.Attempts, s.MaxWait = tt.attempts, 800*time.Millisecond }, tt.up)
				start := time.Now()
				res, err := r.RoundTrip(plugintest.Request(t, "{}"))
				if got := time.Since(start); got != tt.waits {
					t.Errorf("waited %s, want %s", got, tt.waits)
				}
				if got := tt.up.Asked(); got != tt.asked {
					t.Errorf("asked %d times, want %d", got, tt.asked)
				}
				if !errors.Is(err, tt.err) {
					t.Errorf("err = %v, want %v", err, tt.err)
				}
				if got := status(res); got != tt.status {
					t.Errorf("status = %d, want %d", got, tt.status)
				}
			})
		})
	}
}

// status returns 0 for no answer.
func status(res *http.Response) int {
	if res == nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func TestAnUpgradeIsLeftAlone(t *testing.T) {
	up := plugintest.Answers(101)
	res, err := build(t, nil, up).RoundTrip(plugintest.Request(t, "{}"))
	if err != nil || status(res) != http.StatusSwitchingProtocols || up.Asked() != 1 {
		t.Errorf("got %v, %v after %d attempts, want 101 after one", res, err, up.Asked())
	}
}

// TestByDefaultEveryServerErrorPasses goes through all statuses of errors.
func TestByDefaultEveryServerErrorPasses(t *testing.T) {
	for code := 400; code < 600; code++ {
		want := code >= 500 || code == 408 || code == 409 || code == 429
		if got := Defaults().passes(&http.Response{StatusCode: code}); got != want {
			t.Errorf("%d passes = %t, want %t", code, got, want)
		}
	}
}

func TestOtherStatusesMayBeNamed(t *testing.T) {
	tests := []struct {
		name     string
		statuses []int
		status   int
		asked    int
	}{
		{"a status of the list", []int{401}, 401, 2},
		{"a status that the list left out", []int{401}, 503, 1},
		{"a server error that the list left out", []int{500, 503}, 501, 1},
		{"one that is not registered, by its class", []int{500, 503}, 529, 2},
		{"one that is not registered, by itself", []int{529}, 529, 2},
		{"one that is not registered, not its class", []int{529}, 500, 1},
		{"an empty list", nil, 503, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := plugintest.Answers(tt.status)
				r := build(t, func(s *Settings) { s.Statuses, s.Attempts = tt.statuses, 2 }, up)
				res, err := r.RoundTrip(plugintest.Request(t, "{}"))
				if err != nil || status(res) != tt.status {
					t.Errorf("got %v, %v, want %d", res, err, tt.status)
				}
				if got := up.Asked(); got != tt.asked {
					t.Errorf("asked %d times, want %d", got, tt.asked)
				}
			})
		})
	}
}
