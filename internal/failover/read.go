package failover

import (
	"context"
	"fmt"

	"github.com/holysheep/relay/internal/ledger"
)

// Read implements [ledger.Ledger]. If the store cannot be asked, the claims say
// how this replica's share stands, and their Mode is ModeLocal, or ModeClosed
// where it has none; that is no error.
func (l *Ledger) Read(ctx context.Context, claims []ledger.Claim) error {
	if l.up.Load() {
		err := l.ask(ctx, "read", l.patience(), func(ctx context.Context) error {
			return l.remote.Read(ctx, claims)
		})
		if err == nil {
			for i := range claims {
				claims[i].Mode = ledger.ModeShared
			}
			return nil
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	own := make([]ledger.Claim, len(claims))
	for i, c := range claims {
		own[i] = l.share.scaled(c)
	}
	l.mem.Read(own)
	for i := range claims {
		l.share.tell(&claims[i], own[i])
		if l.share.of == 0 {
			claims[i].Mode = ledger.ModeClosed
		}
	}
	return nil
}

// Reset implements [ledger.Ledger]. If the store cannot be asked, it resets what
// this replica gives out and owes, says so by ModeLocal, and leaves the store's
// counters as they are.
func (l *Ledger) Reset(ctx context.Context, claims []ledger.Claim) error {
	mode := ledger.ModeLocal
	if l.up.Load() {
		mode = ledger.ModeShared
		err := l.ask(ctx, "reset", l.patience(), func(ctx context.Context) error {
			return l.remote.Reset(ctx, claims)
		})
		if err != nil {
			return fmt.Errorf("the shared store: %w", err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range claims {
		claims[i].Mode = mode
		l.debts.drop(&claims[i])
		l.before.drop(&claims[i])
	}
	l.mem.Reset(claims)
	return nil
}
