package upstream

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/holysheep/relay/plugins/plugintest"
)

func TestHowABodyEnds(t *testing.T) {
	broken := errors.New("cut")
	tests := []struct {
		name    string
		body    io.Reader
		read    func(io.ReadCloser)
		counted int // within the window
		failed  bool
	}{
		{"read to its end", strings.NewReader("abc"), func(b io.ReadCloser) { _, _ = io.ReadAll(b) }, 1, false},
		{"cut in the middle", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), func(b io.ReadCloser) { _, _ = io.ReadAll(b) }, 0, true},
		{"an end inside of another error", iotest.ErrReader(&net.OpError{Op: "read", Err: io.EOF}), func(b io.ReadCloser) { _, _ = io.ReadAll(b) }, 0, true},
		{"closed in the middle", strings.NewReader("abc"), func(b io.ReadCloser) { _, _ = b.Read(make([]byte, 1)) }, 1, false},
		{"closed unread", strings.NewReader("abc"), func(io.ReadCloser) {}, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := onePool(t, func(req *http.Request) (*http.Response, error) {
				res := plugintest.Response(req, 200, "")
				res.Body = io.NopCloser(tt.body)
				return res, nil
			})
			res, err := p.RoundTrip(plugintest.Request(t, "{}"))
			if err != nil {
				t.Fatal(err)
			}
			if n := p.Show()[0].InFlight; n != 1 {
				t.Errorf("%d in flight before the end, want 1", n)
			}
			tt.read(res.Body)
			_ = res.Body.Close()
			_ = res.Body.Close()
			s := p.Show()[0]
			if s.InFlight != 0 || s.Requests != tt.counted || (s.State == "ejected") != tt.failed {
				t.Errorf("got %+v, want %d counted, failed: %t", s, tt.counted, tt.failed)
			}
			if tt.failed && !strings.HasPrefix(s.LastError, "the answer broke off: ") {
				t.Errorf("last error %q", s.LastError)
			}
		})
	}
}

func TestABodyClosedWhileItIsReadIsGivenUp(t *testing.T) {
	rest, _ := io.Pipe()
	p := onePool(t, func(req *http.Request) (*http.Response, error) {
		res := plugintest.Response(req, 200, "")
		res.Body = rest
		return res, nil
	})
	res, err := p.RoundTrip(plugintest.Request(t, "{}"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = res.Body.Read(make([]byte, 1))
	}()
	_ = res.Body.Close()
	<-done
	if s := p.Show()[0]; s.State != "healthy" || s.InFlight != 0 {
		t.Errorf("got %+v, want it healthy", s)
	}
}

// duplex is a connection of another protocol.
type duplex struct{ io.ReadWriteCloser }

func TestAnUpgradedConnectionHoldsItsPlace(t *testing.T) {
	here, there := net.Pipe()
	p := onePool(t, func(req *http.Request) (*http.Response, error) {
		res := plugintest.Response(req, http.StatusSwitchingProtocols, "")
		res.Body = duplex{here}
		return res, nil
	})
	res, err := p.RoundTrip(plugintest.Request(t, "{}"))
	if err != nil {
		t.Fatal(err)
	}
	_ = there.Close()
	if _, isConn := res.Body.(io.ReadWriteCloser); !isConn {
		t.Error("the connection cannot be written to")
	}
	_, _ = res.Body.Read(make([]byte, 1))
	if s := p.Show()[0]; s.InFlight != 1 || s.Requests != 1 {
		t.Errorf("%d in flight while it is open and %d counted, want 1 and 1", s.InFlight, s.Requests)
	}
	_ = res.Body.Close()
	if s := p.Show()[0]; s.InFlight != 0 || s.State != "healthy" {
		t.Errorf("got %+v, want it healthy and nothing in flight", s)
	}
}
