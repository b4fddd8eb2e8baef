package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holysheep/relay/plugins/plugintest"
)

// A nat passes connections on to an upstream, and can forget those that are
// open: nothing passes on them from then on, and nobody is told.
type nat struct {
	net.Listener
	to       string
	forgets  atomic.Pointer[chan struct{}] // closed: what was opened before is forgotten
	accepted atomic.Int64
}

func newNAT(t *testing.T, to string) *nat {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	n := &nat{Listener: l, to: to}
	n.forget()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			n.accepted.Add(1)
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			gone := *n.forgets.Load()
			go pass(in, out, gone)
			go pass(out, in, gone)
		}
	}()
	return n
}

// forget forgets the connections that are open.
func (n *nat) forget() {
	gone := make(chan struct{})
	if before := n.forgets.Swap(&gone); before != nil {
		close(*before)
	}
}

// pass copies from one connection to the other, and drops what comes once gone.
func pass(from, to net.Conn, gone <-chan struct{}) {
	var piece [4096]byte
	for {
		n, err := from.Read(piece[:])
		select {
		case <-gone:
		default:
			_, _ = to.Write(piece[:n])
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

func TestADeadConnectionIsReplaced(t *testing.T) {
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	up.EnableHTTP2 = true
	up.StartTLS()
	defer up.Close()
	n := newNAT(t, up.Listener.Addr().String())
	roots := x509.NewCertPool()
	roots.AddCert(up.Certificate())
	conns := newConns(Defaults(), &tls.Config{RootCAs: roots, ServerName: "example.com"}, 100*time.Millisecond)
	defer func() { _ = conns.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ask := func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+n.Addr().String()+"/v1/x", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := conns.RoundTrip(req)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		if got, err := io.ReadAll(res.Body); string(got) != "HTTP/2.0" || err != nil {
			t.Fatalf("got %q, %v, want an answer by HTTP/2", got, err)
		}
		return nil
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	n.forget()
	// The one that finds out may fail; those after it get a new connection.
	for ask() != nil {
		if ctx.Err() != nil {
			t.Fatalf("no answer any more, after %d connections", n.accepted.Load())
		}
	}
	if got := n.accepted.Load(); got < 2 {
		t.Errorf("%d connections, want a new one", got)
	}
}

func TestEveryUpstreamsConnectionsAreAskedWhetherTheyLive(t *testing.T) {
	rt, err := transport("one", Defaults(), nil, plugintest.Env(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := rt.(*conns).HTTP2; got == nil || got.SendPingTimeout != silence || got.PingTimeout != silence {
		t.Errorf("HTTP2 = %+v, want pings after %s", got, silence)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	var opened atomic.Int64
	first, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		once.Do(func() {
			close(first)
			<-release
		})
	}))
	up.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	up.Start()
	defer up.Close()
	p := newPool(t, nil, map[string]Settings{"one": settings(up.URL, func(s *Settings) { s.MaxConnections = 1 })})
	waits := make(chan struct{}) // the second request waits for a connection
	done := make(chan error, 2)
	go func() {
		_, err := get(t, p)
		done <- err
	}()
	<-first
	go func() {
		req := plugintest.Request(t, "{}")
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GetConn: func(string) { close(waits) }}))
		res, err := p.RoundTrip(req)
		if err == nil {
			_ = res.Body.Close()
		}
		done <- err
	}()
	<-waits
	close(release)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	if got := p.members[0].client.(*conns).MaxIdleConnsPerHost; got != Defaults().IdleConnections {
		t.Errorf("%d idle connections are kept, want %d", got, Defaults().IdleConnections)
	}
}
