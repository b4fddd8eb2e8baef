package plugins

import (
	"errors"
	"io"
	"net/http"
	"sync"
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
	w := watched{body: res.Body, see: see, end: end}
	if conn, ok := res.Body.(io.ReadWriteCloser); ok && res.StatusCode == http.StatusSwitchingProtocols {
		w.see = func([]byte) {}
		res.Body = &watchedConn{watched: &w, conn: conn}
		return
	}
	res.Body = &w
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
		w.finish(errors.Is(err, io.EOF))
	}
	return n, err
}

func (w *watched) Close() error {
	w.finish(false)
	return w.body.Close()
}

func (w *watched) finish(whole bool) { w.once.Do(func() { w.end(whole) }) }

// watchedConn is an upgraded connection under Watch.
type watchedConn struct {
	*watched
	conn io.ReadWriteCloser
}

func (w *watchedConn) Write(p []byte) (int, error) { return w.conn.Write(p) }
