package redisledger

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/ledger"
	"github.com/holysheep/relay/internal/ledgertest"
	"github.com/holysheep/relay/internal/redistest"
)

// suite is a store as the suite of all stores asks it.
type suite struct {
	*Store
	client redis.UniversalClient
}

func (s suite) Take(t *ledger.Ticket) (bool, error) { return s.Store.Take(context.Background(), t) }
func (s suite) Settle(tickets ...*ledger.Ticket) error {
	return s.Store.Settle(context.Background(), tickets)
}

func (s suite) Read(claims []ledger.Claim) error { return s.Store.Read(context.Background(), claims) }

func (s suite) Reset(claims []ledger.Claim) error { return s.Store.Reset(context.Background(), claims) }

func (s suite) Flush() error {
	err := s.client.FlushDB(context.Background()).Err()
	if err != nil {
		return err
	}
	return s.client.ScriptFlush(context.Background()).Err()
}

func TestRedisPassesTheSuite(t *testing.T) {
	const lease = 30 * time.Second
	client := clientOf(t, redistest.Start(t).Addr())
	ledgertest.Run(t, func(t testing.TB, clock *ledgertest.Clock) ledgertest.Store {
		t.Helper()
		s := suite{New(client, Options{Lease: lease, Clock: clock.Micros}), client}
		if err := s.client.FlushDB(context.Background()).Err(); err != nil {
			t.Fatal(err)
		}
		return s
	}, ledgertest.Leases(lease))
}
