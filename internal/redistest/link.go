package redistest

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// link is one connection through a proxy.
type link struct {
	client, server net.Conn
	broken         chan struct{} // closed by cut
	once           sync.Once
	asking         atomic.Bool // the last piece was the client's
}

// cut breaks the link off at both sides, without waiting for what is on its
// way.
func (l *link) cut() {
	l.once.Do(func() {
		close(l.broken)
		for _, c := range []net.Conn{l.client, l.server} {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // a reset, not an end
			}
			_ = c.Close()
		}
	})
}

// serve carries one connection of a client until either side ends it.
func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{client: client, server: server, broken: make(chan struct{})}
	defer l.cut()
	if !p.add(l) {
		return
	}
	defer p.locked(func() { delete(p.conns, l) })
	commands, replies := &reader{whole: p.asked}, &reader{whole: p.replied}
	var replying sync.WaitGroup
	replying.Go(func() {
		defer l.cut()
		l.copy(client, server, func(piece []byte) bool {
			l.asking.Store(false)
			p.locked(func() { p.bytes.replied += len(piece) })
			replies.pass(piece)
			return p.hold(l, false)
		})
	})
	l.copy(server, client, func(piece []byte) bool {
		begins := !l.asking.Swap(true)
		p.locked(func() {
			p.bytes.asked += len(piece)
			if begins {
				p.trips++
			}
		})
		commands.pass(piece)
		return p.hold(l, true)
	})
	l.cut()
	replying.Wait()
}

// copy carries pieces until either side ends, or see returns false.
func (l *link) copy(to, from net.Conn, see func(piece []byte) bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if !see(buffer[:n]) {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// hold returns when a piece may pass; false if the link was cut before.
func (p *Proxy) hold(l *link, request bool) bool {
	var delay time.Duration
	p.locked(func() { delay = p.delay })
	if request && delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-l.broken:
			return false
		}
	}
	var open, heard chan struct{}
	p.locked(func() { open, heard = p.open, p.heard })
	if request {
		heard = open
	}
	for _, gate := range []chan struct{}{open, heard} {
		select {
		case <-gate:
		case <-l.broken:
			return false
		}
	}
	return true
}
