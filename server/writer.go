package server

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/holysheep/relay/plugins"
)

// A writer is the client's response: it adds the headers that every answer
// has at the last moment, whoever makes the answer, and counts what goes out.
type writer struct {
	http.ResponseWriter
	call     *plugins.Call
	draining *atomic.Bool    // from then on HTTP/1.1 connections close
	closes   bool            // the protocol closes connections by header
	last     bool            // this answer is the last of its connection
	ctx      context.Context //nolint:containedctx // of the request: its end closes an upgraded connection
	stall    stall

	status int
	bytes  int64
	first  time.Time // when the first byte of the body went out
}

// WriteHeader sends the header. Informational answers pass as they are.
func (w *writer) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.finish(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) finish(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	h := w.Header()
	w.call.WriteHeaders(h)
	if w.closes && (w.last || w.draining.Load()) {
		h.Set("Connection", "close")
	}
}

// Write sends a piece of the body.
func (w *writer) Write(p []byte) (int, error) {
	w.finish(http.StatusOK)
	if w.bytes == 0 && len(p) > 0 {
		w.first = time.Now()
	}
	w.stall.begin(w.ResponseWriter)
	n, err := w.ResponseWriter.Write(p)
	w.stall.end()
	w.bytes += int64(n)
	return n, err
}

// FlushError sends what has been written.
func (w *writer) FlushError() error {
	w.stall.begin(w.ResponseWriter)
	defer w.stall.end()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack hands the connection over: to an upgrade, which is answered 101 past
// this writer.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	// A client that does not read would hold the upgrade past the end of drain.
	context.AfterFunc(w.ctx, func() { _ = conn.Close() })
	return conn, rw, nil
}

// Unwrap lets [http.ResponseController] flush and set deadlines.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
