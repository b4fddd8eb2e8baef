package upstream

import (
	"net"
	"net/http"
	"time"

	"github.com/holysheep/relay/plugins"
)

const (
	// idleConns is how many idle connections are kept per upstream. The
	// default of 2 has a busy relay dial for nearly every request.
	idleConns = 256

	// headerBytes bounds an upstream's response headers.
	headerBytes = 1 << 20

	// silence is how long an HTTP/2 connection may be silent before it is asked
	// whether it lives, and then how long the answer may take. By itself
	// net/http does not ask: a flow that a NAT or a load balancer has dropped
	// without a word would be used until the kernel gives up, 15 minutes or so
	// later (tcp_retries2), and nearly every request meanwhile would time out.
	// 15 s is net/http's default for the answer, and net's for the keep-alive
	// of TCP.
	silence = 15 * time.Second
)

// transport returns the connections to one upstream. They are kept over a
// reload as long as what they depend on stays the same.
func transport(name string, s Settings, dial Dial, env plugins.Env) (http.RoundTripper, error) {
	return plugins.Keep(env, "transport."+name+"."+s.ConnectTimeout.String(), func() (*conns, error) {
		c := newConns(s.ConnectTimeout, silence)
		if dial != nil {
			c.DialContext = dial
		}
		return c, nil
	})
}

// conns is a transport whose idle connections end with it.
type conns struct{ *http.Transport }

// newConns returns a transport that finds dead HTTP/2 connections by a silence
// as long as the given one, see [silence].
func newConns(connect, silence time.Duration) *conns {
	dialer := net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}
	return &conns{&http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    connect,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: silence, PingTimeout: silence},
		MaxIdleConnsPerHost:    idleConns,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: headerBytes,
		// An answer passes as it was encoded: the client decides, not we.
		DisableCompression: true,
	}}
}

// Close implements [io.Closer].
func (c *conns) Close() error {
	c.CloseIdleConnections()
	return nil
}
