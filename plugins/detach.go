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
// deadline, no trace, no value of the web framework. It returns an error if
// the body cannot be read again.
func Detach(req *http.Request) (out *http.Request, cancel context.CancelFunc, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	out = req.Clone(WithCall(ctx, CallOf(req.Context()).detached()))
	if req.Body == nil || req.Body == http.NoBody {
		return out, cancel, nil
	}
	if req.GetBody == nil {
		cancel()
		return nil, nil, ErrBodyGone
	}
	body, err := req.GetBody()
	if err != nil {
		cancel()
		return nil, nil, err
	}
	defer func() { _ = body.Close() }()
	whole, err := io.ReadAll(body)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(whole)), nil }
	out.Body, _ = out.GetBody()
	return out, cancel, nil
}
