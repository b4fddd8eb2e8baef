package plugins

import (
	"bytes"
	"context"
	"io"
	"net/http"
)

// Detach returns a request that outlives the client: the same question with
// its body in memory and a context of its own, which ends with cancel alone.
// Nothing of the client's context is left but the [Call], as a copy: no
// deadline, no trace, no value of the web framework.
//
// It returns [ErrBodyGone] if the body is longer than max_replay, of which the
// server's bodies know, or has passed already. req can then be sent as if
// nothing had been asked. Any other error is what broke the body.
func Detach(req *http.Request) (out *http.Request, cancel context.CancelFunc, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	out = req.Clone(WithCall(ctx, CallOf(req.Context()).detached()))
	if req.Body == nil || req.Body == http.NoBody {
		return out, cancel, nil
	}
	whole, err := readWhole(req)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(whole)), nil }
	out.Body, _ = out.GetBody()
	return out, cancel, nil
}

// A replayer is a body that knows whether it can be read again whole. It may
// read from the client to find out, but not so that the request cannot be sent
// any more. The readers of the server's bodies are replayers.
type replayer interface{ Replayable() bool }

// readWhole returns the body of req, which can still be read. It reads nothing
// of one that is too long to be read again: that would use it up.
func readWhole(req *http.Request) ([]byte, error) {
	if req.GetBody == nil {
		return nil, ErrBodyGone
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	if r, ok := body.(replayer); ok && !r.Replayable() {
		return nil, ErrBodyGone
	}
	return io.ReadAll(body)
}
