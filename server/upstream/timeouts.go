package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/holysheep/relay/plugins"
)

// Errors of an upstream that takes too long. Another may do better.
var (
	// ErrFirstByte says that no answer began within first_byte_timeout.
	ErrFirstByte = tooSlow("upstream_first_byte_timeout", "the upstream did not begin to answer within first_byte_timeout")

	// ErrIdle says that an answer stopped for idle_timeout.
	ErrIdle = tooSlow("upstream_idle_timeout", "the upstream stopped in its answer for longer than idle_timeout")

	// ErrAttempt says that an answer was not whole within attempt_timeout.
	ErrAttempt = tooSlow("upstream_attempt_timeout", "the upstream's answer was not whole within attempt_timeout")
)

func tooSlow(code, message string) *plugins.Error {
	return &plugins.Error{
		Status: http.StatusGatewayTimeout, Type: "upstream_error", Code: code, Message: message, Again: true,
	}
}

// A vigil bounds one attempt in time: as the body of its answer it bounds
// each wait for the upstream, and not the time that the reader takes. When it is
// up it cancels the attempt, and its error is the cause. One that was not
// started, or has nothing to bound, bounds nothing.
type vigil struct {
	ctx    context.Context         //nolint:containedctx // of this attempt: its cause says why it ended
	cancel context.CancelCauseFunc // nil if it bounds nothing
	whole  *time.Timer             // nil without attempt_timeout
	pause  *time.Timer             // nil without idle_timeout, and before the body; stopped but in Read
	idle   time.Duration
	waits  bool // for the first event, which idle_timeout does not bound
	body   io.ReadCloser
}

// start begins to bound an attempt as the settings say, and returns the context
// to send it with.
func (v *vigil) start(ctx context.Context, s *Settings) context.Context {
	if s.IdleTimeout <= 0 && s.AttemptTimeout <= 0 {
		return ctx
	}
	v.idle = s.IdleTimeout
	v.ctx, v.cancel = context.WithCancelCause(ctx)
	if s.AttemptTimeout > 0 {
		v.whole = time.AfterFunc(s.AttemptTimeout, v.end)
	}
	return v.ctx
}

// end is called when attempt_timeout is over.
func (v *vigil) end() { v.cancel(ErrAttempt) }

// stall is called when idle_timeout is over.
func (v *vigil) stall() { v.cancel(ErrIdle) }

// over ends what has no answer, and returns why.
func (v *vigil) over(err error) error {
	if v.cancel != nil {
		v.stop()
		err = v.cause(err)
		v.cancel(nil)
	}
	if late(err) {
		err = ErrFirstByte.Because(err)
	}
	return err
}

// begin has idle_timeout bound what comes from now on: a stream has begun.
func (v *vigil) begin() { v.waits = false }

// runs reports whether the attempt may still go on.
func (v *vigil) runs() bool { return v.cancel == nil || v.ctx.Err() == nil }

// guard goes on with the body of the answer. If that is a stream, its first
// event may take as long as first_token_timeout says, until [vigil.begin]. A connection that was upgraded is
// bounded by nothing: its silence means nothing, and it has no end.
func (v *vigil) guard(res *http.Response, stream bool) {
	switch {
	case v.cancel == nil:
	case res.StatusCode == http.StatusSwitchingProtocols:
		v.stop()
	default:
		if v.idle > 0 {
			v.pause = time.AfterFunc(v.idle, v.stall)
			v.pause.Stop()
		}
		v.waits = stream
		v.body, res.Body = res.Body, v
	}
}

// Read implements [io.Reader].
func (v *vigil) Read(p []byte) (int, error) {
	bounded := v.pause != nil && !v.waits
	if bounded {
		v.pause.Reset(v.idle)
	}
	n, err := v.body.Read(p)
	if bounded {
		v.pause.Stop()
	}
	if err != nil {
		v.stop()
		// An EOF counts no more once time is up: to a client that hangs up, the
		// server may still say that this was all.
		err = v.cause(err)
	}
	return n, err
}

// Close implements [io.Closer].
func (v *vigil) Close() error {
	v.stop()
	err := v.body.Close()
	v.cancel(nil)
	return err
}

// stop stops the timers.
func (v *vigil) stop() {
	if v.whole != nil {
		v.whole.Stop()
	}
	if v.pause != nil {
		v.pause.Stop()
	}
}

// cause returns why err happened, where the vigil itself has ended the attempt.
func (v *vigil) cause(err error) error {
	if why := context.Cause(v.ctx); why == error(ErrIdle) || why == error(ErrAttempt) { //nolint:errorlint // not that of another
		return why
	}
	return err
}

// late reports whether err is the transport's own after first_byte_timeout. It
// is known by its words alone, the same in HTTP/1.1 and HTTP/2.
func late(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout() && strings.Contains(t.Error(), "awaiting response headers")
}
