package redistest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// MasterName is what a [Sentinel] calls its master.
const MasterName = "relay"

// A Sentinel is a master, its replica, and one Sentinel over both: it puts the
// replica in the place of a master that has not answered for half a second.
type Sentinel struct {
	t        testing.TB
	nodes    [2]*Server // nil in front of a proxy
	sentinel *Server
	port     int // of the master, or of the proxy in front of it
}

// StartSentinel starts the three, with more arguments for the two of them that
// hold data, and returns when each knows the others.
func StartSentinel(t testing.TB, args ...string) *Sentinel {
	t.Helper()
	s := &Sentinel{t: t}
	s.nodes[0] = Start(t, args...)
	s.port = s.nodes[0].port
	s.nodes[1] = Start(t, append([]string{"--replicaof", "127.0.0.1 " + strconv.Itoa(s.nodes[0].port)}, args...)...)
	Await(t, "the replica to be one", func() bool {
		return strings.Contains(s.nodes[1].info("replication"), "master_link_status:up")
	})
	// Only now: it asks the master for its replicas at once, and then every ten
	// seconds.
	s.watch()
	Await(t, "the Sentinel to know the replica", func() bool {
		// Until it has asked the replica itself it would not choose it.
		return strings.Contains(fmt.Sprint(s.ask("SENTINEL", "REPLICAS", MasterName)), "master-link-status:ok")
	})
	return s
}

// StartSentinelOf starts a Sentinel over the server behind a proxy: clients that
// ask it for the master are sent to the proxy. There is no replica.
func StartSentinelOf(t testing.TB, p *Proxy) *Sentinel {
	t.Helper()
	s := &Sentinel{t: t, port: p.port()}
	s.watch()
	return s
}

// watch starts the Sentinel.
func (s *Sentinel) watch() {
	s.t.Helper()
	s.sentinel = newServer(s.t, nil)
	s.sentinel.base = s.arguments
	s.sentinel.start()
}

// arguments writes the configuration, which a Sentinel writes anew whenever it
// learns something, and returns the arguments that name it.
func (s *Sentinel) arguments(port int) []string {
	file := filepath.Join(s.sentinel.dir, "sentinel.conf")
	config := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor %s 127.0.0.1 %d 1\n"+
		"sentinel down-after-milliseconds %[3]s 500\nsentinel failover-timeout %[3]s 3000\n",
		port, s.sentinel.dir, MasterName, s.port)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return []string{file, "--sentinel"}
}

// Addrs are where the Sentinels listen: there is one.
func (s *Sentinel) Addrs() []string { return []string{s.sentinel.Addr()} }

// AddUser adds a user of the Sentinel itself, as [Server.AddUser] does.
func (s *Sentinel) AddUser(name, password string, rules ...string) {
	s.t.Helper()
	s.sentinel.AddUser(name, password, rules...)
}

// Client returns a client that follows the master. It ends with the test.
func (s *Sentinel) Client() *redis.Client {
	s.t.Helper()
	c := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: MasterName, SentinelAddrs: s.Addrs(), DisableIdentity: true, ContextTimeoutEnabled: true,
	})
	s.sentinel.clients = append(s.sentinel.clients, c)
	return c
}

// Master returns the server that the Sentinel takes for the master.
func (s *Sentinel) Master() *Server {
	s.t.Helper()
	addr := s.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MasterName)
	for _, n := range s.nodes {
		if n != nil && len(addr) == 2 && net.JoinHostPort(fmt.Sprint(addr[0]), fmt.Sprint(addr[1])) == n.Addr() {
			return n
		}
	}
	s.t.Fatalf("the Sentinel names %v as master", addr)
	return nil
}

// Other returns the server that is not the given one.
func (s *Sentinel) Other(than *Server) *Server {
	if than == s.nodes[0] {
		return s.nodes[1]
	}
	return s.nodes[0]
}

// AwaitMaster waits until the server is the master, to the Sentinel and by its
// own word.
func (s *Sentinel) AwaitMaster(n *Server) {
	s.t.Helper()
	Await(s.t, n.Addr()+" to become the master", func() bool {
		return s.Master() == n && strings.Contains(n.info("replication"), "role:master")
	})
}

// Failover has the Sentinel put the replica in the place of its master, which
// lives, and returns when that is done.
func (s *Sentinel) Failover() {
	s.t.Helper()
	next := s.Other(s.Master())
	s.ask("SENTINEL", "FAILOVER", MasterName)
	s.AwaitMaster(next)
}

// ask asks the Sentinel, and returns its answer if that is a list.
func (s *Sentinel) ask(args ...any) []any {
	s.t.Helper()
	answer, err := s.sentinel.admin().Do(s.sentinel.context(), args...).Result()
	if err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
	list, _ := answer.([]any)
	return list
}
