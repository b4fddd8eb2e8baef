package upstream

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/holysheep/relay/plugins"
)

// An upload is the body of a request on its way to an upstream. It knows for how
// long the upstream has waited for the client. The zero upload is of no body.
type upload struct {
	io.ReadCloser
	now func() time.Time

	mu     sync.Mutex
	since  time.Time // a Read waits from then on; zero if none does
	waited time.Duration
}

// watch has the upload stand between the body of the request and its reader.
func (u *upload) watch(req *http.Request, now func() time.Time) {
	if req.Body == nil || req.Body == http.NoBody {
		return
	}
	u.ReadCloser, u.now = req.Body, now
	req.Body = u
}

// Read implements [io.Reader].
func (u *upload) Read(p []byte) (int, error) {
	u.mu.Lock()
	u.since = u.now()
	u.mu.Unlock()
	n, err := u.ReadCloser.Read(p)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.waited += u.now().Sub(u.since)
	u.since = time.Time{}
	return n, err
}

// held reports whether the client has held up more than half of the time from
// sent to now by a body that came slowly.
func (u *upload) held(sent, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	waited := u.waited
	if !u.since.IsZero() {
		waited += now.Sub(u.since)
	}
	return waited > now.Sub(sent)/2
}

// overdue reports whether ctx has ended since its answer did not come in time:
// what ended it is an error of status 504, such as that of request_timeout.
func overdue(ctx context.Context) bool {
	if ctx.Err() == nil {
		return false
	}
	e, ok := plugins.AsError(context.Cause(ctx))
	return ok && e.Status == http.StatusGatewayTimeout
}
