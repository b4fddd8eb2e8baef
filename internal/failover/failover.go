// Package failover keeps limits while the store that all replicas share is
// down, slow or frozen. While it answers, it alone decides. When it does not,
// each claim is decided as its Down says: by this replica's share of the limit,
// by nobody, or not at all; and no request waits for the store any more. When
// the store is back it is told what passed meanwhile.
//
// What that promises, and what it cannot:
//
//   - A request waits for the store once, for no longer than the deadline. After
//     some failures in a row no request does.
//   - The shares of all replicas come to no more than the limit: see share.
//   - At each of the two boundaries of an outage at most one burst more than the
//     limit passes (of a rate its burst, of flights the limit, of a budget what
//     was left of it). When it begins, because a replica knows a counter as it
//     stood at its own latest request, and others have taken since; when it
//     ends, because what a replica decides while it hands over is told to the
//     store one round trip after others ask there again. No mistake can be more
//     than that, for nothing known of a counter is wrong by more than all that
//     it holds.
//   - A replica that alone cannot reach the store gives out its share besides
//     what the others take there.
//
// Of an operation without an answer nobody knows whether it was done. What
// counts here is that too little passes rather than too much: what was charged
// is not given back twice, what was used is charged twice rather than never,
// and what a take cost that may have been done stays charged until time gives
// it back. That is for the few requests that were at the store when the outage
// began. Flights are let go in any case.
//
// It does not know what kind of store it asks.
package failover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// Options say how a [Ledger] treats its store. What is 0 is its default. Some can
// change: see [Ledger.Tune].
type Options struct {
	Deadline time.Duration // of what a request waits for; 50ms
	Failures int           // that many in a row are an outage; 3
	Lease    time.Duration // for how long the store keeps a flight that is not renewed; 30s
	Beat     time.Duration // between two beats of the heart; 2s
	Probe    time.Duration // between two questions whether the store is back, give or take a quarter; 250ms
	Replicas int           // how many replicas share the limits; 0: as many as the beats say
	Backlog  int           // the most settlements that wait for the store, and a quarter of the most counters it is not told of yet; 100,000

	Now      func() time.Time // time.Now
	Log      *slog.Logger     // nowhere
	Observer Observer         // nobody
}

var _ ledger.Ledger = (*Ledger)(nil)

// A Ledger asks a shared store, and decides by itself while that cannot be
// asked. Make one with [New] and end it with [Ledger.Close]. It is safe for
// concurrent use.
type Ledger struct {
	remote ledger.Remote
	opts   Options // but for those that are tuned
	tuned  atomic.Pointer[tuning]
	mem    *ledger.Memory // what is known of the store, and all flights of this replica
	leases atomic.Uint64

	up   atomic.Bool   // whether requests ask the store; changes under mu
	wake chan struct{} // holds one token when there is something to do at once
	end  context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	failed  struct{ takes, others int } // in a row
	since   time.Time                   // when up changed
	held    map[uint64]hold
	round   uint64 // counts the times that debts were collected: see hold
	fresh   bool   // whether a ticket was let pass in this round
	debts   book
	swept   time.Time       // when debts were last looked through
	sweepAt int             // how many have it done again
	seen    map[string]seen // by the name of the counter
	before  past            // how counters stood at the latest beat: see remember
	asked   []ledger.Claim  // room for remember, empty
	queue   []*ledger.Ticket
	sending int  // tickets of the queue that are under way
	tries   int  // of the first batch of the queue
	full    bool // whether the queue has overflowed since the store was last up
	lives   lives
	awake   time.Time // until when nothing is unusual in that the goroutine does nothing
	share   share
	store   clock

	work worker // of the goroutine alone
}

// New returns a ledger over remote that takes the store for up until it learns
// better. Its goroutine runs until [Ledger.Close].
func New(remote ledger.Remote, opts Options) *Ledger {
	opts = opts.filled()
	l := &Ledger{
		remote: remote, opts: opts, mem: ledger.NewMemory(opts.Now),
		wake: make(chan struct{}, 1), done: make(chan struct{}),
		since: opts.Now(), held: map[uint64]hold{}, seen: map[string]seen{},
		lives: lives{replicas: int64(opts.Replicas)},
	}
	l.tuned.Store(opts.tuning())
	l.lives.ttl = l.ttl()
	l.up.Store(true)
	var ctx context.Context
	ctx, l.end = context.WithCancel(context.Background())
	go l.run(ctx)
	return l
}

func (o Options) filled() Options {
	for _, d := range []struct {
		value *time.Duration
		or    time.Duration
	}{
		{&o.Deadline, 50 * time.Millisecond},
		{&o.Lease, 30 * time.Second},
		{&o.Beat, 2 * time.Second},
		{&o.Probe, 250 * time.Millisecond},
	} {
		if *d.value <= 0 {
			*d.value = d.or
		}
	}
	if o.Failures <= 0 {
		o.Failures = 3
	}
	if o.Backlog <= 0 {
		o.Backlog = 100_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	return o
}

// Close hands over and settles what still waits, says that this replica ends,
// and ends the goroutine. It returns what of it the store did not get before
// ctx ended: it takes longer than that only to end what is being asked, and to
// say that it ends. What is settled later is lost.
func (l *Ledger) Close(ctx context.Context) error {
	l.end()
	<-l.done
	_, err := l.tell(ctx)
	if n := l.backlog(); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d settlements were not sent", n))
	}
	return errors.Join(err, l.ask(ctx, "leave", l.deadline(), l.remote.Leave))
}

// Down returns whether the store is taken for down.
func (l *Ledger) Down() bool { return !l.up.Load() }

// nudge has the goroutine look for work.
func (l *Ledger) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
