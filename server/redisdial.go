package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/holysheep/relay/internal/watch"
	"github.com/holysheep/relay/server/config"
)

// dialer returns what connects to Redis within timeout, by TLS unless security
// is nil, and counts the connections.
func (m *redisMetrics) dialer(timeout time.Duration, security *tls.Config) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: timeout}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		conn, err := d.DialContext(ctx, network, addr)
		if err == nil {
			conn, err = encrypt(ctx, m.count(conn), addr, security)
		}
		if err != nil {
			m.dials.WithLabelValues("failure").Inc()
			return nil, err
		}
		m.dials.WithLabelValues("success").Inc()
		return conn, nil
	}
}

// encrypt speaks TLS over conn to the server at addr, unless security is nil.
func encrypt(ctx context.Context, conn net.Conn, addr string, security *tls.Config) (net.Conn, error) {
	if security == nil {
		return conn, nil
	}
	if security.ServerName == "" {
		security = security.Clone()
		security.ServerName, _, _ = net.SplitHostPort(addr)
	}
	encrypted := tls.Client(conn, security)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return encrypted, nil
}

// count counts the connection until it is closed.
func (m *redisMetrics) count(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	m.connections.Inc()
	return &countedConn{TCPConn: tcp, closed: sync.OnceFunc(m.connections.Dec)}
}

// A countedConn tells when it is closed. It keeps all that a TCP connection can,
// for the client looks into it to see whether Redis has ended it.
type countedConn struct {
	*net.TCPConn
	closed func()
}

// Close implements [net.Conn].
func (c *countedConn) Close() error {
	c.closed()
	return c.TCPConn.Close()
}

// redisTrust is whom a connection to Redis trusts, and what it shows of itself,
// as PEM. What was not named is nil.
type redisTrust struct{ ca, cert, key []byte }

func readRedisTrust(c config.Redis, reads *watch.Reads) (t redisTrust, err error) {
	var errs []error
	for _, f := range []struct {
		key, path string
		into      *[]byte
	}{{"ca_file", c.CAFile, &t.ca}, {"cert_file", c.CertFile, &t.cert}, {"key_file", c.KeyFile, &t.key}} {
		if f.path == "" {
			continue
		}
		if *f.into, err = reads.ReadFile(f.path); err != nil {
			errs = append(errs, fmt.Errorf("redis.%s: %w", f.key, err))
		}
	}
	return t, errors.Join(errs...)
}

// config returns the configuration of TLS, nil where there is none.
func (t redisTrust) config(c config.Redis) (*tls.Config, error) {
	if !c.TLS {
		return nil, nil //nolint:nilnil // no TLS is no error
	}
	security := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	if t.ca != nil {
		security.RootCAs = x509.NewCertPool()
		if !security.RootCAs.AppendCertsFromPEM(t.ca) {
			return nil, errors.New("redis.ca_file: holds no certificate as PEM")
		}
	}
	if t.cert != nil {
		pair, err := tls.X509KeyPair(t.cert, t.key)
		if err != nil {
			return nil, fmt.Errorf("redis.cert_file: not a certificate that goes with key_file: %w", err)
		}
		security.Certificates = []tls.Certificate{pair}
	}
	return security, nil
}
