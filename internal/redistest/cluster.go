package redistest

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// allSlots is how many slots a cluster has (Redis Cluster Specification).
const allSlots = 16384

// A Cluster is three masters without replicas.
type Cluster struct {
	t       testing.TB
	nodes   [3]*Server
	proxies []*Proxy // none before Proxies
}

// StartCluster starts the three, with more arguments for each, and returns when
// they serve all slots. It takes more than two seconds: that long Redis waits
// before it lets a new node write.
func StartCluster(t testing.TB, args ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	for i := range c.nodes {
		bus := freePort(t)
		c.nodes[i] = Start(t, append([]string{
			"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus), "--cluster-node-timeout", "5000",
		}, args...)...)
		c.nodes[i].do("CLUSTER", "SET-CONFIG-EPOCH", i+1) // each its own, so that none must be fought out
		c.nodes[i].do("CLUSTER", "ADDSLOTSRANGE", i*allSlots/len(c.nodes), (i+1)*allSlots/len(c.nodes)-1)
		if i > 0 {
			c.nodes[0].do("CLUSTER", "MEET", "127.0.0.1", c.nodes[i].port, bus)
		}
	}
	for _, n := range c.nodes {
		Await(t, "the cluster to serve", func() bool {
			info, err := n.admin().ClusterInfo(n.context()).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") &&
				strings.Contains(info, "cluster_known_nodes:"+strconv.Itoa(len(c.nodes))) &&
				strings.Contains(info, "cluster_slots_ok:"+strconv.Itoa(allSlots))
		})
	}
	return c
}

// Proxies starts a proxy in front of each node, in their order, and has the
// nodes send clients there. Addrs are the proxies' from then on.
func (c *Cluster) Proxies() []*Proxy {
	c.t.Helper()
	for _, n := range c.nodes {
		p := StartProxy(c.t, n.Addr())
		c.proxies = append(c.proxies, p)
		n.do("CONFIG", "SET", "cluster-announce-port", p.port())
	}
	for _, n := range c.nodes {
		Await(c.t, "the cluster to know the proxies", func() bool {
			nodes, err := n.admin().ClusterNodes(n.context()).Result()
			return err == nil && !slices.ContainsFunc(c.proxies, func(p *Proxy) bool {
				return !strings.Contains(nodes, p.Addr()+"@")
			})
		})
	}
	return c.proxies
}

// Addrs are where clients reach the nodes.
func (c *Cluster) Addrs() (addrs []string) {
	for _, p := range c.proxies {
		addrs = append(addrs, p.Addr())
	}
	if len(addrs) > 0 {
		return addrs
	}
	for _, n := range c.nodes {
		addrs = append(addrs, n.Addr())
	}
	return addrs
}

// Nodes returns the three.
func (c *Cluster) Nodes() []*Server { return c.nodes[:] }

// Client returns a client of the whole cluster, which ends with the test.
func (c *Cluster) Client() *redis.ClusterClient {
	c.t.Helper()
	client := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: c.Addrs(), DisableIdentity: true, ContextTimeoutEnabled: true,
	})
	c.t.Cleanup(func() { _ = client.Close() })
	return client
}

// Slot returns the slot of a key.
func (c *Cluster) Slot(key string) int {
	c.t.Helper()
	slot, err := c.nodes[0].admin().ClusterKeySlot(c.nodes[0].context(), key).Result()
	if err != nil {
		c.t.Fatal(err)
	}
	return int(slot)
}

// Owner returns the node that serves the slot.
func (c *Cluster) Owner(slot int) *Server {
	c.t.Helper()
	shards, err := c.nodes[0].admin().ClusterShards(c.nodes[0].context()).Result()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, shard := range shards {
		has := slices.ContainsFunc(shard.Slots, func(r redis.SlotRange) bool { return r.Start <= int64(slot) && int64(slot) <= r.End })
		for _, n := range c.nodes {
			if has && shard.Nodes[0].ID == n.id() {
				return n
			}
		}
	}
	c.t.Fatalf("nobody serves slot %d", slot)
	return nil
}

// Next returns the node after n, the first after the last.
func (c *Cluster) Next(n *Server) *Server {
	for i := range c.nodes {
		if c.nodes[i] == n {
			return c.nodes[(i+1)%len(c.nodes)]
		}
	}
	return c.nodes[0]
}

// A Move is a slot on its way from one node to another, in three steps: Begin,
// Copy as often as there are keys, End. Between them a test may act.
type Move struct {
	cluster  *Cluster
	slot     int
	from, to *Server
}

// Move returns the move of a slot from its owner to another node. It does
// nothing yet.
func (c *Cluster) Move(slot int, to *Server) *Move {
	c.t.Helper()
	return &Move{cluster: c, slot: slot, from: c.Owner(slot), to: to}
}

// Begin tells both nodes: from here on the old one sends whoever asks for a key
// that it does not have to the new one (ASK).
func (m *Move) Begin() {
	m.cluster.t.Helper()
	m.to.do("CLUSTER", "SETSLOT", m.slot, "IMPORTING", m.from.id())
	m.from.do("CLUSTER", "SETSLOT", m.slot, "MIGRATING", m.to.id())
}

// Copy moves at most n keys and returns how many it has moved.
func (m *Move) Copy(n int) int {
	m.cluster.t.Helper()
	keys, err := m.from.admin().ClusterGetKeysInSlot(m.from.context(), m.slot, n).Result()
	if err != nil {
		m.cluster.t.Fatal(err)
	}
	for _, key := range keys {
		m.from.do("MIGRATE", "127.0.0.1", m.to.port, key, 0, patience.Milliseconds())
	}
	return len(keys)
}

// End gives the slot to the new node, and returns when all know.
func (m *Move) End() {
	m.cluster.t.Helper()
	id := m.to.id()
	m.to.do("CLUSTER", "SETSLOT", m.slot, "NODE", id) // first, so that the slot is never nobody's
	for _, n := range m.cluster.nodes {
		if n != m.to {
			n.do("CLUSTER", "SETSLOT", m.slot, "NODE", id)
		}
	}
}
