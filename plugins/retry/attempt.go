package retry

import (
	"io"
	"net/http"
	"time"
)

const (
	// drainBytes is how much of an answer that nobody wants is read, so that
	// its connection can be used again. Error bodies of upstreams are shorter.
	drainBytes = 4 << 10

	// drainTime bounds that reading: a new connection costs about as much.
	drainTime = 50 * time.Millisecond
)

// An attempt is a request that is about to be sent, and the wait before it.
type attempt struct {
	req  *http.Request
	wait time.Duration
}

// drop closes the body of an attempt that is not made.
func (a attempt) drop() {
	if a.req.Body != nil {
		_ = a.req.Body.Close()
	}
}

// resend returns req with its body at the beginning, or false if the body
// cannot be had again. Header and Trailer are shared: nobody in a chain changes
// the former, and the latter is filled while the client's body is read.
func resend(req *http.Request) (*http.Request, bool) {
	out := req.WithContext(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return out, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, false
	}
	out.Body = body
	return out, true
}

// discard closes res, which may be nil, and reads a little of it before.
func discard(res *http.Response) {
	if res == nil {
		return
	}
	// Close interrupts a Read, as it does in all of net/http.
	timer := time.AfterFunc(drainTime, func() { _ = res.Body.Close() })
	defer timer.Stop()
	_, _ = io.CopyN(io.Discard, res.Body, drainBytes)
	_ = res.Body.Close()
}
