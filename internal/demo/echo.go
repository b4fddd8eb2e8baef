package demo

import (
	"net/http"

	"github.com/coder/websocket"
)

// echo answers /v1/echo with the bytes of the request's body.
func echo(x *exchange) answer {
	a := body(http.StatusOK, "", x.body)
	a.header["Content-Type"] = x.r.Header["Content-Type"] // nil keeps net/http from guessing
	return a
}

// realtime answers GET /v1/realtime: a WebSocket that sends every message back.
func (x *exchange) realtime() State {
	if x.r.Header.Get("Upgrade") == "" {
		return x.send(refuse(http.StatusUpgradeRequired, "", "This is a WebSocket."))
	}
	if !wait(x.r.Context(), x.plan.latency) {
		return Cancelled
	}
	x.plant()
	c, err := websocket.Accept(x.w, x.r, &websocket.AcceptOptions{
		Subprotocols:       []string{"realtime"},
		InsecureSkipVerify: true, // any origin
	})
	if err != nil {
		return Aborted
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(maxBody)
	x.server.books.edit(func() { x.rec.Status = http.StatusSwitchingProtocols })
	for x.plan.breakAt.unit != "events" || x.rec.Events < x.plan.breakAt.numbers[0] {
		kind, data, err := c.Read(x.r.Context())
		switch {
		case websocket.CloseStatus(err) >= 0:
			return Done
		case err != nil || c.Write(x.r.Context(), kind, data) != nil:
			return Cancelled
		}
		x.server.books.edit(func() {
			x.rec.Events++
			x.rec.BytesOut += int64(len(data))
		})
	}
	return Aborted
}
