// Package ledger counts what requests take of limits: rates, requests in
// flight, and budgets. Everything that one request takes is decided in one
// step: it gets all of it or nothing.
//
// Two stores keep the same counters by the same arithmetic: [Memory] in this
// process, and the one in the package redisledger for many replicas. All
// numbers are whole: times and the costs of rates in microseconds, money in
// nanodollars, and whoever asks turns tokens and requests into them, by
// [Rate]. So both stores decide alike, to the microsecond.
//
// It does not know rules, clients or tokens, and it does not wait.
package ledger

import (
	"context"
	"errors"
	"math"
	"time"
)

// Kind is how a counter counts.
type Kind uint8

// The kinds of counters.
const (
	// KindRate is a bucket of the generic cell rate algorithm: one number, the
	// instant at which the bucket will be full again. A claim's Cost is the
	// time in which the bucket gets back what the claim takes, its Limit the
	// time in which the empty bucket becomes full, in microseconds.
	KindRate Kind = iota + 1

	// KindFlight is what is held at the same time: a claim holds 1 of Limit
	// until it is settled.
	KindFlight

	// KindBudget is what may be spent in a window of time, in nanodollars.
	KindBudget
)

// Waits that are no time.
const (
	// Never is the wait of a claim that is more than its limit: no wait cures
	// that.
	Never int64 = math.MaxInt64

	// Unknown is the wait for something that is held: nobody knows when it will
	// be given back.
	Unknown int64 = math.MaxInt64 - 1
)

// A Counter is what counts one limit of one rule, for each of its subjects.
// It does not change once it is in use.
type Counter struct {
	// Name is unique among the counters of a ledger, and the same in every
	// replica and generation: lower-case letters, digits, _ and dots, such as
	// "each.requests".
	Name string

	Kind Kind

	// Window is that of a budget.
	Window Window

	// OfClient says that A of each subject is a client. A sharded store keeps
	// all counters of a client together.
	OfClient bool
}

// A Subject is whose counter it is. The zero Subject is everybody's.
type Subject struct {
	A string // such as a client, a group, a model, or the value of a header
	B string // the model, where A is a client and each of its models counts apart
}

// Down says what becomes of a claim while the store cannot be asked.
type Down uint8

// What becomes of a claim while the store cannot be asked.
const (
	DownLocal  Down = iota // it is decided by this replica's share of the limit
	DownOpen               // it passes and is not counted
	DownClosed             // it is refused
)

// Mode is by what a claim was decided.
type Mode uint8

// The modes of decisions.
const (
	ModeMemory Mode = iota // by this process, which is alone
	ModeShared             // by the store that all replicas share
	ModeLocal              // by this replica's share, for the store cannot be asked
	ModeOpen               // by nobody: it passed, for the store cannot be asked
	ModeClosed             // by nobody: it was refused, for the store cannot be asked
)

// String returns the mode as headers and metrics spell it.
func (m Mode) String() string {
	return [...]string{"memory", "shared", "local", "open", "closed"}[m]
}

// A Claim asks for something of one counter of one subject.
type Claim struct {
	Counter *Counter
	Subject Subject

	// Cost is what is asked for: 0 or more, 1 of a flight. A claim that costs
	// nothing of a rate or budget always has room.
	Cost int64

	// Limit is the most that may be taken, in the unit of Cost.
	Limit int64

	// Unit is what Cost and Limit of a rate are whole multiples of where it has
	// units that cannot be divided, as requests: the microseconds in which the
	// bucket gets one back. 0 is a rate without such units, as tokens. By it a
	// share of the limit is made of whole units.
	Unit int64

	// Pace is how fast a rate gives units back, in nanoseconds for one: see
	// [Rate.Pace]. Claims with the same pace and different limits can take from
	// one bucket. 0 is not known.
	Pace int64

	// Shadow is a claim that refuses nothing: it is taken if it has room,
	// whenever those that are no shadows all have.
	Shadow bool

	Down Down

	// Actual is what the request came to, in the unit of Cost: it is set before
	// the claim is settled. At first it is Cost. A flight has none.
	Actual int64

	// What follows is filled in by the decision.

	Taken bool
	Mode  Mode

	// Used is what is taken of the counter after the decision: of a rate the
	// microseconds until the bucket is full, of a flight how many hold it, of a
	// budget what is spent in the window.
	Used int64

	// Wait is how long, in microseconds, until the claim could be granted if
	// nobody else took anything: 0 if it could be now, Never, or Unknown.
	Wait int64

	// Reset is how long, in microseconds, until nothing of it is taken: Used of
	// a rate; of a budget the rest of the window of the calendar, or the time
	// until the last slice in which anything is spent leaves the rolling one, 0
	// if there is none; 0 of a flight.
	Reset int64

	// At is when it was decided on, by the clock of the store in microseconds
	// since 1970; of a budget the beginning of the slice of its window.
	At int64
}

// A Ticket is what one request asks for and then holds.
type Ticket struct {
	// Lease is the name of its flights: it is unique in this process and not 0.
	// The ledger sets it.
	Lease uint64

	Claims []Claim
}

// A Ledger is where requests are decided on: [Memory] behind [Alone], or a
// shared store with this replica's share behind it. It is safe for concurrent
// use.
type Ledger interface {
	// Take decides on all claims of t in one step and fills them in. It returns
	// whether they were taken: then t must be settled once. It never fails:
	// what becomes of a claim while the store cannot be asked is the claim's
	// Down.
	Take(ctx context.Context, t *Ticket) bool

	// Settle gives back what t holds and did not use, and charges what it used
	// beyond: see [Charge]. It does not wait for a store, and t is the
	// ledger's from then on.
	Settle(t *Ticket)

	// Read fills in how the claims stand, and takes nothing.
	Read(ctx context.Context, claims []Claim) error

	// Reset sets the counters of the claims to nothing taken.
	Reset(ctx context.Context, claims []Claim) error
}

// Held is the flights that one replica holds of one counter of one subject.
type Held struct {
	Counter *Counter
	Subject Subject
	Leases  []uint64
}

// A Beat is what a replica learns when it says that it lives.
type Beat struct {
	Now   time.Time // by the store's clock
	Epoch string    // changes when the store has lost its data

	// Live is how many replicas live, this one included; Rank is its place
	// among them, from 0.
	Live, Rank int
}

// ErrUndone is in the error of a [Remote] that has said of all that it did not
// do that it did nothing.
var ErrUndone = errors.New("nothing of it was done")

// A Remote is a store that replicas share. Its errors are those of the way to
// it: whether the store did what was asked is not known then, but a Take that
// arrives after its deadline does nothing. It is safe for concurrent use.
type Remote interface {
	// Take decides on all claims in one step, as the ticket's.
	Take(ctx context.Context, t *Ticket) (bool, error)

	// Settle settles tickets, each in one step. What is settled for sure is
	// Taken no more after an error; with [ErrUndone] the rest is not for sure.
	Settle(ctx context.Context, tickets []*Ticket) error

	Read(ctx context.Context, claims []Claim) error
	Reset(ctx context.Context, claims []Claim) error

	// Beat says that this replica lives, for ttl, and returns who else does.
	Beat(ctx context.Context, ttl time.Duration) (Beat, error)

	// Leave says that this replica is about to end.
	Leave(ctx context.Context) error

	// Renew says that the flights are still held. One that the store has lost
	// or let go is held again, be there room or not: it is true.
	Renew(ctx context.Context, held []Held) error

	// Raise lifts counters to at least Used, as it was at At: of a rate less
	// what has come back since, of a budget if its slice is still in the
	// window. It is for a store that has lost its data.
	Raise(ctx context.Context, claims []Claim) error
}
