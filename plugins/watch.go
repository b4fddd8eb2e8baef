package plugins

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// Watch shows what passes through the body of res while the client reads it:
// see gets every piece, and end is called once, with whether the body was read
// to its end. Neither may keep the piece. A stream stays a stream. Either may
// be nil. The body of a 101 stays the connection that it is: see gets nothing,
// and end hears when the connection is closed.
func Watch(res *http.Response, see func(piece []byte), end func(whole bool)) {
	if see == nil {
		see = func([]byte) {}
	}
	if end == nil {
		end = func(bool) {}
	}
	if conn, ok := res.Body.(io.ReadWriteCloser); ok && res.StatusCode == http.StatusSwitchingProtocols {
		res.Body = &watchedConn{ReadWriteCloser: conn, end: end}
		return
	}
	res.Body = &watched{body: res.Body, see: see, end: end}
}

// watched is a body under Watch.
type watched struct {
	body io.ReadCloser
	see  func([]byte)
	end  func(bool)
	once sync.Once
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if n > 0 {
		w.see(p[:n])
	}
	if err != nil {
		w.finish(err == io.EOF) // an EOF inside of another error is a body that broke off
	}
	return n, err
}

func (w *watched) Close() error {
	err := w.body.Close() // first, so that nobody takes the place while the upstream still has it
	w.finish(false)
	return err
}

func (w *watched) finish(whole bool) { w.once.Do(func() { w.end(whole) }) }

// watchedConn is an upgraded connection under Watch. It may be closed while it
// is read, and lives on when one side of it has said all that it will.
type watchedConn struct {
	io.ReadWriteCloser
	end  func(bool)
	once sync.Once
	read atomic.Bool // to the end
}

func (w *watchedConn) Read(p []byte) (int, error) {
	n, err := w.ReadWriteCloser.Read(p)
	if err == io.EOF { //nolint:errorlint // as above
		w.read.Store(true)
	}
	return n, err
}

// CloseWrite closes the relay's side of the connection, where it can be
// closed alone. [net/http/httputil.ReverseProxy] asks for it.
func (w *watchedConn) CloseWrite() error {
	if c, ok := w.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (w *watchedConn) Close() error {
	w.once.Do(func() { w.end(w.read.Load()) })
	return w.ReadWriteCloser.Close()
}
