package redistest

import (
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Proxy stands between clients and a server of Redis: it delays, cuts, holds
// back, and counts what passes. It is safe for concurrent use.
type Proxy struct {
	listener net.Listener
	server   string
	work     sync.WaitGroup

	mu       sync.Mutex
	conns    map[*link]struct{}
	delay    time.Duration
	open     chan struct{} // closed while pieces pass; not while they are held back
	heard    chan struct{} // the same of replies
	refusing bool
	closed   bool

	commands map[string]int
	replies  int
	trips    int
	bytes    struct{ asked, replied int }
}

// StartProxy starts a proxy in front of the server at addr. It ends with the
// test.
func StartProxy(t testing.TB, addr string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		listener: l, server: addr, conns: map[*link]struct{}{}, open: make(chan struct{}), heard: make(chan struct{}), commands: map[string]int{},
	}
	close(p.open)
	close(p.heard)
	p.work.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr is where clients connect to, as host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// port is the port of Addr.
func (p *Proxy) port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// SetDelay has every piece of every request wait for d on its way to the
// server.
func (p *Proxy) SetDelay(d time.Duration) { p.locked(func() { p.delay = d }) }

// Cut breaks off every connection. New ones are taken as before.
func (p *Proxy) Cut() { p.locked(p.cut) }

// Refuse breaks off every connection, and every new one too, until [Proxy.Heal].
func (p *Proxy) Refuse() {
	p.locked(func() {
		p.refusing = true
		p.cut()
	})
}

// Blackhole takes connections and lets nothing pass, to either side, until
// [Proxy.Heal]: then what was held back arrives late, as after a hole in a
// network.
func (p *Proxy) Blackhole() {
	p.locked(func() {
		if isClosed(p.open) {
			p.open = make(chan struct{})
		}
	})
}

// Mute lets commands pass and holds replies back, until [Proxy.Heal]: the server
// does what nobody hears of.
func (p *Proxy) Mute() {
	p.locked(func() {
		if isClosed(p.heard) {
			p.heard = make(chan struct{})
		}
	})
}

// Heal ends whatever was wrong: delay, refusal, hole and silence.
func (p *Proxy) Heal() {
	p.locked(func() {
		p.delay, p.refusing = 0, false
		for _, gate := range []chan struct{}{p.open, p.heard} {
			if !isClosed(gate) {
				close(gate)
			}
		}
	})
}

// Commands returns how many commands clients have sent: those of the names, or
// all without any. The name of a command is its first word, such as "EVALSHA".
func (p *Proxy) Commands(names ...string) (n int) {
	p.locked(func() {
		for name, count := range p.commands {
			if len(names) == 0 || slices.Contains(names, name) {
				n += count
			}
		}
	})
	return n
}

// ByName returns how many commands clients have sent, by name in capitals.
func (p *Proxy) ByName() (counts map[string]int) {
	p.locked(func() { counts = maps.Clone(p.commands) })
	return counts
}

// Replies returns how many commands the server has replied to.
func (p *Proxy) Replies() (n int) {
	p.locked(func() { n = p.replies })
	return n
}

// RoundTrips returns how often a client began to send after it had been sent
// to: commands that are sent together are one round trip.
func (p *Proxy) RoundTrips() (n int) {
	p.locked(func() { n = p.trips })
	return n
}

// Bytes returns how many bytes clients and servers have sent.
func (p *Proxy) Bytes() (asked, replied int) {
	p.locked(func() { asked, replied = p.bytes.asked, p.bytes.replied })
	return asked, replied
}

// Reset sets what was counted to 0.
func (p *Proxy) Reset() {
	p.locked(func() {
		clear(p.commands)
		p.replies, p.trips = 0, 0
		p.bytes.asked, p.bytes.replied = 0, 0
	})
}

func (p *Proxy) locked(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
}

func (p *Proxy) cut() {
	for l := range p.conns {
		l.cut()
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() { p.serve(client) })
	}
}

// add takes a link in, unless it is to be refused.
func (p *Proxy) add(l *link) (taken bool) {
	p.locked(func() {
		if taken = !p.refusing && !p.closed; taken {
			p.conns[l] = struct{}{}
		}
	})
	return taken
}

// asked notes a command of a client.
func (p *Proxy) asked(name string) { p.locked(func() { p.commands[strings.ToUpper(name)]++ }) }

// replied notes a reply.
func (p *Proxy) replied(string) { p.locked(func() { p.replies++ }) }

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.locked(func() {
		p.closed = true
		p.cut()
	})
	p.work.Wait()
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
