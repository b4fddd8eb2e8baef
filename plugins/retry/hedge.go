package retry

import (
	"io"
	"net/http"
	"time"

	"github.com/holysheep/relay/internal/quantile"
	"github.com/holysheep/relay/plugins"
)

const (
	// hedgeLatest is of how many of the latest first attempts at an endpoint it
	// is known how long they took.
	hedgeLatest = 256

	// hedgeKnown is how many there must be of them before any is hedged: of
	// fewer than 20, the 95th of a hundred is the slowest.
	hedgeKnown = 20
)

// latencies returns, by endpoint that is hedged, how long first attempts took.
// There are none where nothing is asked twice.
func latencies(s Settings, env plugins.Env) (map[string]*quantile.Window, error) {
	if len(s.Hedge.Endpoints) == 0 || s.Attempts < 2 {
		return nil, nil
	}
	took := make(map[string]*quantile.Window, len(s.Hedge.Endpoints))
	for _, path := range s.Hedge.Endpoints {
		w, err := plugins.Keep(env, "latency "+path, func() (*quantile.Window, error) {
			return quantile.New(hedgeLatest, hedgeKnown), nil
		})
		if err != nil {
			return nil, err
		}
		took[path] = w
	}
	return took, nil
}

// hedged returns how long first attempts at the endpoint of req took, or nil if
// it is not to be asked twice at once: it is no call of a hedged endpoint, may
// be answered by a stream or another protocol, or cannot be sent twice.
func (r *retrier) hedged(req *http.Request, call *plugins.Call) *quantile.Window {
	took := r.took[req.URL.Path]
	if took == nil || req.Method != http.MethodPost && req.Method != http.MethodGet || plugins.Upgrades(req) {
		return nil
	}
	if ask := call.Ask(); ask.Stream || ask.Doubt(plugins.FieldStream) != nil || !replayable(req) {
		return nil
	}
	return took
}

// replayable reports whether the body of req can be read twice at once. A body
// of the server's knows; it may read from the client to find out.
func replayable(req *http.Request) bool {
	if req.Body == nil || req.Body == http.NoBody {
		return true
	}
	if body, ok := req.Body.(interface{ Replayable() bool }); ok && !body.Replayable() {
		return false
	}
	return req.GetBody != nil
}

// hedgeAfter returns how long a first attempt runs alone, false if that is not
// known yet.
func (r *retrier) hedgeAfter(took *quantile.Window) (time.Duration, bool) {
	d, known := took.At(r.settings.Hedge.Percentile)
	return max(d, r.settings.Hedge.Least), known
}

// A racedBody is the body of an answer to one of two attempts. Closing it ends
// the attempt's context, and waits for the other one to have ended, which was
// canceled long before.
type racedBody struct {
	io.ReadCloser
	cancel func()
	other  <-chan struct{}
}

// Close implements [io.Closer].
func (b *racedBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel()
	<-b.other
	return err
}
