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
)

// transport returns the connections to one upstream. They are kept over a
// reload as long as what they depend on stays the same.
func transport(name string, s Settings, env plugins.Env) (http.RoundTripper, error) {
	return plugins.Keep(env, "transport."+name+"."+s.ConnectTimeout.String(), func() (*conns, error) {
		dialer := net.Dialer{Timeout: s.ConnectTimeout, KeepAlive: 30 * time.Second}
		return &conns{&http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    s.ConnectTimeout,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    idleConns,
			IdleConnTimeout:        90 * time.Second,
			ExpectContinueTimeout:  time.Second,
			MaxResponseHeaderBytes: headerBytes,
			// An answer passes as it was encoded: the client decides, not we.
			DisableCompression: true,
		}}, nil
	})
}

// conns is a transport whose idle connections end with it.
type conns struct{ *http.Transport }

// Close implements [io.Closer].
func (c *conns) Close() error {
	c.CloseIdleConnections()
	return nil
}
