// Package redistest starts real servers of Redis for tests, on free ports of
// this machine: one alone, a pair behind a Sentinel, a cluster of three; and a
// proxy in front of one that delays, cuts and counts. What a test starts ends
// with the test.
//
// It does not imitate Redis. Where redis-server is not installed the test
// fails.
package redistest

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long a server may take for what should take milliseconds, on
// a machine that is busy with other tests.
const patience = 30 * time.Second

// A Server is a redis-server of a test. It is not safe for concurrent use, but
// for Addr and what clients of it do.
type Server struct {
	t    testing.TB
	dir  string
	port int
	args []string
	tls  *TLS                    // nil without
	base func(port int) []string // the arguments before args, for a port

	process *process // nil while it is dead
	clients []*redis.Client
	asking  *redis.Client // see admin; nil before the first question
}

// Start starts a redis-server that keeps nothing on disk, with more arguments
// as redis-server takes them, such as "--appendonly", "yes". It fails the test
// if it cannot.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s := newServer(t, args)
	s.start()
	return s
}

// StartTLS starts a redis-server that speaks TLS only, and asks clients for a
// certificate of the same authority.
func StartTLS(t testing.TB, args ...string) *Server {
	t.Helper()
	s := newServer(t, args)
	s.tls = newTLS(t)
	s.start()
	return s
}

// newServer returns a server that is not yet started. What it has ends with the
// test.
func newServer(t testing.TB, args []string) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), args: args}
	s.base = s.alone
	t.Cleanup(s.end)
	return s
}

// alone returns the arguments of a server that keeps nothing on disk.
func (s *Server) alone(port int) []string {
	args := []string{
		"--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "no",
		"--repl-diskless-sync-delay", "0",
	}
	return append(args, s.tls.args(port)...)
}

// start starts the process on a free port. Another program may take that
// between the look and the start.
func (s *Server) start() {
	s.t.Helper()
	for range 10 {
		s.port = freePort(s.t)
		if s.run() {
			return
		}
	}
	s.t.Fatal("found no free port for redis-server")
}

// run starts the process on the server's port. It returns false if the port is
// taken.
func (s *Server) run() bool {
	s.t.Helper()
	process, taken := launch(s.t, slices.Concat(s.base(s.port), s.args))
	if taken {
		return false
	}
	s.process = process
	return true
}

// Addr is where it listens, as host:port. It stays the same.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Port is the port of Addr.
func (s *Server) Port() int { return s.port }

// TLS returns the files for its clients, nil if it speaks no TLS.
func (s *Server) TLS() *TLS { return s.tls }

// Client returns a client of the server, which ends with the test. Its user is
// the default one, by the password of "--requirepass" among the arguments.
func (s *Server) Client() *redis.Client {
	s.t.Helper()
	return s.client("", s.argument("--requirepass"))
}

// ClientOf is [Server.Client] for another user.
func (s *Server) ClientOf(user, password string) *redis.Client {
	s.t.Helper()
	return s.client(user, password)
}

func (s *Server) client(user, password string) *redis.Client {
	var security *tls.Config
	if s.tls != nil {
		security = s.tls.Config(s.t)
	}
	c := redis.NewClient(&redis.Options{
		Addr: s.Addr(), Username: user, Password: password, TLSConfig: security,
		DisableIdentity: true, ContextTimeoutEnabled: true,
	})
	s.clients = append(s.clients, c)
	return c
}

// argument returns what stands behind name in the server's arguments.
func (s *Server) argument(name string) string {
	if i := slices.Index(s.args, name); i >= 0 && i+1 < len(s.args) {
		return s.args[i+1]
	}
	return ""
}

// AddUser adds a user with the password and the rules, such as "~*", "+@all",
// as ACL SETUSER takes them. A [Server.Restart] forgets it.
func (s *Server) AddUser(name, password string, rules ...string) {
	s.t.Helper()
	args := []any{"ACL", "SETUSER", name, "on", ">" + password}
	for _, r := range rules {
		args = append(args, r)
	}
	s.do(args...)
}

// context bounds one command. It does not end with the test, for cleanups ask
// too.
func (s *Server) context() context.Context { return bounded(s.t) }

// bounded returns a context that ends when the test has waited too long.
func bounded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

// Pause stops the server where it is, as a frozen machine would: connections
// stay, and nothing is answered until [Server.Resume].
func (s *Server) Pause() { s.t.Helper(); s.alive().signal(s.t, stopSignal) }

// Resume ends a [Server.Pause].
func (s *Server) Resume() { s.t.Helper(); s.alive().signal(s.t, resumeSignal) }

// Kill ends the server at once, without a word to anybody, and returns when it
// is dead.
func (s *Server) Kill() {
	s.t.Helper()
	s.alive().kill()
	s.process = nil
}

// Stop asks the server to end, as SIGTERM does, and returns when it has.
func (s *Server) Stop() {
	s.t.Helper()
	s.alive().stop(s.t)
	s.process = nil
}

// Restart starts the server again on the same port, and ends it before if it
// runs. It has its data if it was started with "--appendonly", "yes", and
// nothing otherwise.
func (s *Server) Restart() {
	s.t.Helper()
	if s.process != nil {
		s.Kill()
	}
	Await(s.t, "a restart on "+s.Addr(), s.run)
}

func (s *Server) alive() *process {
	s.t.Helper()
	if s.process == nil {
		s.t.Fatalf("the server %s is dead", s.Addr())
	}
	return s.process
}

func (s *Server) end() {
	for _, c := range s.clients {
		_ = c.Close()
	}
	if s.process != nil {
		s.process.kill()
		s.process = nil
	}
}

// Await asks again and again until it gets true, and fails the test if that takes too long.
func Await(t testing.TB, what string, ask func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for !ask() {
		select {
		case <-timeout:
			t.Fatalf("waited %s in vain for %s", patience, what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
