package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
)

// yielding is the body of an upstream that ends its answer, with err, as soon as
// nobody waits for it any more.
type yielding struct {
	ctx context.Context
	err error
}

func (y yielding) Read([]byte) (int, error) {
	<-y.ctx.Done()
	return 0, y.err
}

func (y yielding) Close() error { return nil }

func TestAnAnswerThatIsCutIsNotWhole(t *testing.T) {
	stopping := &plugins.Error{Status: 503, Type: "server_error", Code: "stopping"}
	wrapped := fmt.Errorf("upstream one: %w", io.EOF)
	tests := []struct {
		name   string
		length int64
		cut    error // of the client's request, after a second; nil leaves it to the timeout
		ends   error
		want   error
		fault  bool
	}{
		{"of unknown length, in time", -1, nil, io.EOF, ErrTimeout, true},
		{"of unknown length, by the relay", -1, stopping, io.EOF, stopping, true},
		{"of unknown length, by its client", -1, context.Canceled, io.EOF, io.EOF, false},
		{"of known length, in time", 5, nil, io.EOF, io.EOF, false},
		{"broken off with an EOF inside", 5, context.Canceled, wrapped, wrapped, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				x := newExchange(ctx, "/v1/files", roundTrip(func(req *http.Request) (*http.Response, error) {
					res := answering(200, "application/json", nil)
					res.ContentLength, res.Body = tt.length, yielding{req.Context(), tt.ends}
					return res, nil
				}), Options{Timeout: 2 * time.Second})
				if tt.cut != nil {
					time.AfterFunc(time.Second, func() { cancel(tt.cut) })
				}
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "/v1/files", http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				res, err := x.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = res.Body.Close() }()
				_, err = res.Body.Read(make([]byte, 1))
				if !errors.Is(err, tt.want) || (err == io.EOF) != (tt.want == io.EOF) { //nolint:errorlint // whether it is the EOF itself
					t.Errorf("the answer ended with %v, want %v", err, tt.want)
				}
				if fault := x.call.Fault(); (fault != nil) != tt.fault {
					t.Errorf("noted %v", fault)
				}
			})
		})
	}
}
