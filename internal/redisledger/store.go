// Package redisledger is the ledger that many replicas share: a [ledger.Remote]
// in Redis, by scripts that decide on all claims of a ticket in one step and one
// round trip, by Redis's own clock.
//
// Every key expires when nothing of it is taken any more, and holds no client's
// name in clear: see [Store.Key]. All keys are in one slot of a cluster, unless
// [Options].ShardClients spreads them.
//
// It does not know what to do when Redis cannot be asked: that is the package
// failover's.
package redisledger

import (
	"crypto/rand"
	_ "embed"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/ledger"
)

var _ ledger.Remote = (*Store)(nil)

// Options say how a [Store] uses its Redis.
type Options struct {
	// Prefix begins every key, such as "holysheep:".
	Prefix string

	// Instance is the name of this replica among those that live: it begins its
	// leases too. It is a random one if it is empty.
	Instance string

	// Lease is how long a flight is held that is not renewed, 30s if it is 0.
	// [Store.SetLease] changes it.
	Lease time.Duration

	// ShardClients spreads the counters over the slots of a cluster: those of
	// each client lie together, those of each other rule too. A ticket whose
	// counters lie in n slots takes n round trips, and two more slots may for an
	// instant refuse what fits; none ever admits what does not.
	ShardClients bool

	// Clock is for tests only: microseconds since 1970 in place of Redis's
	// clock. A take is then never too late.
	Clock func() int64
}

// A Store is a ledger in Redis. It is safe for concurrent use, starts no
// goroutine, and does not close its client.
type Store struct {
	client redis.UniversalClient
	opts   Options       // but for Lease
	term   atomic.Int64  // of a lease, in microseconds
	leases atomic.Uint64 // the last lease that was named here

	take, settle, raise, renew, beat script

	start  time.Time // what the clocks count from
	mu     sync.Mutex
	clocks map[string]*clock // by the address of the node of a cluster
}

// New returns a store in the Redis of client, which should obey the deadlines of
// contexts (ContextTimeoutEnabled).
func New(client redis.UniversalClient, opts Options) *Store {
	if opts.Instance == "" {
		opts.Instance = rand.Text()[:12] // 60 bits
	}
	s := &Store{
		client: client,
		opts:   opts,
		take:   newScript(common + take),
		settle: newScript(common + settle),
		raise:  newScript(common + raise),
		renew:  newScript(common + renew),
		beat:   newScript(common + beat),
		start:  time.Now(),
		clocks: map[string]*clock{},
	}
	s.SetLease(opts.Lease)
	return s
}

// SetLease changes Lease for what is taken or renewed from now on: 30s if it is
// 0. Flights that are held already are so for as long as it was, until they are
// renewed.
func (s *Store) SetLease(d time.Duration) {
	if d == 0 {
		d = 30 * time.Second
	}
	s.term.Store(d.Microseconds())
}

//go:embed common.lua
var common string

//go:embed take.lua
var take string

//go:embed settle.lua
var settle string

//go:embed raise.lua
var raise string

//go:embed renew.lua
var renew string

//go:embed beat.lua
var beat string

// now is the first argument of every script: the clock of a test, or nothing.
func (s *Store) now() any {
	if s.opts.Clock == nil {
		return ""
	}
	return s.opts.Clock()
}

// lease returns the member of a flight's key: no two replicas have the same.
func (s *Store) lease(n uint64) string {
	var room [64]byte
	return string(strconv.AppendUint(append(append(room[:0], s.opts.Instance...), ':'), n, 36))
}
