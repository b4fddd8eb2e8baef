package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/holysheep/relay/plugins"
)

const (
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

	// noProxy is the setting proxy of an upstream that is reached without one,
	// whatever the environment says.
	noProxy = "none"
)

// transport returns the connections to one upstream. They are kept over a
// reload as long as what they depend on stays the same.
func transport(name string, s Settings, dial Dial, env plugins.Env) (http.RoundTripper, error) {
	t, err := s.trust(env)
	if err != nil {
		return nil, err
	}
	return plugins.Keep(env, "transport."+name+"."+s.wiring(t), func() (*conns, error) {
		config, err := t.config()
		if err != nil {
			return nil, err
		}
		c := newConns(s, config, silence)
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
func newConns(s Settings, config *tls.Config, silence time.Duration) *conns {
	dialer := net.Dialer{Timeout: s.ConnectTimeout, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy:                  s.proxy(),
		OnProxyConnectResponse: refusedTunnel,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    s.ConnectTimeout,
		ResponseHeaderTimeout:  s.FirstByteTimeout,
		MaxConnsPerHost:        s.MaxConnections,
		MaxIdleConnsPerHost:    s.IdleConnections,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: headerBytes,
		// An answer passes as it was encoded: the client decides, not we.
		DisableCompression: true,
	}
	if s.HTTP2 {
		t.ForceAttemptHTTP2 = true
		t.HTTP2 = &http.HTTP2Config{SendPingTimeout: silence, PingTimeout: silence}
	} else {
		t.Protocols = &http.Protocols{}
		t.Protocols.SetHTTP1(true)
	}
	return &conns{t}
}

// proxy returns what tells the proxy of a request, nil if there is none.
func (s Settings) proxy() func(*http.Request) (*url.URL, error) {
	switch s.Proxy {
	case "":
		return http.ProxyFromEnvironment
	case noProxy:
		return nil
	}
	u, err := url.Parse(s.Proxy)
	if err != nil {
		err = errors.New("proxy: not a URL")
	}
	return func(*http.Request) (*url.URL, error) { return u, err }
}

// refusedTunnel returns the error of a proxy that opens no tunnel. That of
// net/http is whatever the proxy has written beside its status.
func refusedTunnel(_ context.Context, _ *url.URL, _ *http.Request, res *http.Response) error {
	if res.StatusCode == http.StatusOK {
		return nil
	}
	return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: fmt.Errorf("the proxy answered with status %d", res.StatusCode)}
}

// Close implements [io.Closer].
func (c *conns) Close() error {
	c.CloseIdleConnections()
	return nil
}
