package upstream

import (
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// wantsUsage reports whether the upstream shall be told to end its stream with
// what it has used, by stream_options.include_usage, although the client did
// not ask for that. Whoever adds it says so by added, so that the client gets
// the stream that it asked for.
func (a *asking) wantsUsage(req *http.Request) bool {
	if !a.member.set.IncludeUsage || req.Method != http.MethodPost ||
		a.route.Kind != wire.Chat && a.route.Kind != wire.Completions {
		return false
	}
	return a.call.Ask().CanIncludeUsage()
}

// inspect looks into the answer to req, as far as plugins and operators want
// to know: what it has used, and whether a stream begins with an error. An
// answer that is encoded, although the upstream was asked not to, passes as it
// is.
func (a *asking) inspect(req *http.Request, res *http.Response) (*http.Response, error) {
	if !a.looksInto(req, res) {
		return res, nil
	}
	t := &tally{asking: a, src: res.Body, usage: a.usageReader(req)}
	switch media := mediaType(res.Header); {
	case plugins.Encoded(res.Header):
		t.opaque, res.Body = true, t
	case media == eventStream:
		return a.stream(req, res, t)
	case media == "application/json" || strings.HasSuffix(media, "+json"):
		res.Body = t
	}
	return res, nil
}

// usageReader returns what reads what the answer to req has used.
func (a *asking) usageReader(req *http.Request) *plugins.UsageReader {
	u := plugins.NewUsageReader(req.URL, req.ContentLength)
	u.Measure(a.call, req)
	return u
}

// looksInto reports whether the answer to req is looked into.
func (a *asking) looksInto(req *http.Request, res *http.Response) bool {
	return res.StatusCode/100 == 2 && a.route.Inspected() && req.Method != http.MethodHead &&
		res.Body != nil && res.Body != http.NoBody
}

// eventStream is the type of an answer that is a stream of events.
const eventStream = "text/event-stream"

// mediaType returns the type of an answer, in lower case.
func mediaType(h http.Header) string {
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// A tally takes down what an answer has used. It is the body of one that is no
// stream. Closing the answer while it is read ends it too, so it is locked.
type tally struct {
	*asking
	src    io.ReadCloser
	opaque bool // it cannot be read

	mu    sync.Mutex
	usage *plugins.UsageReader
	ended bool
}

// Read implements [io.Reader].
func (t *tally) Read(p []byte) (int, error) {
	n, err := t.src.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case n <= 0:
	case t.opaque:
		t.usage.Opaque(p[:n])
	default:
		t.usage.JSON(p[:n])
	}
	if err != nil {
		t.close(err == io.EOF) // one inside of another error is a body that broke off
	}
	return n, err
}

// Close implements [io.Closer].
func (t *tally) Close() error {
	err := t.src.Close() // first: it ends a Read
	t.mu.Lock()
	defer t.mu.Unlock()
	t.close(false)
	return err
}

// close ends an answer, which was read to its end if whole. It works once. t.mu
// is held.
func (t *tally) close(whole bool) {
	if t.ended {
		return
	}
	t.ended = true
	if t.attempt.Fault() != plugins.NoFault {
		return // an error in place of an answer uses nothing
	}
	u := t.usage.Usage(whole)
	t.used(u)
}
