package demo

import (
	"context"
	"fmt"
)

// Wait returns nil as soon as met holds. met is asked at once and after
// changes, in this goroutine; it may use the books. The error is that of ctx,
// with how the books stood.
func (b *Books) Wait(ctx context.Context, met func(Snapshot) bool) error {
	var s Snapshot
	err := b.follow(ctx, func() bool {
		s = b.Snapshot()
		return met(s)
	})
	if err != nil {
		return fmt.Errorf("demo books: %d requests, %d in flight: %w", s.Len, s.InFlight, err)
	}
	return nil
}

// Await returns the record with the given ID as soon as met holds for it; the
// request need not have begun. The error is that of ctx.
func (b *Books) Await(ctx context.Context, id int, met func(Record) bool) (Record, error) {
	var rec Record
	err := b.follow(ctx, func() bool {
		var kept bool
		rec, kept = b.Record(id)
		return kept && met(rec)
	})
	if err != nil {
		return rec, fmt.Errorf("demo books: request %d is %q after %d events: %w", id, rec.State, rec.Events, err)
	}
	return rec, nil
}

// follow returns nil as soon as met holds, which it asks after each change.
func (b *Books) follow(ctx context.Context, met func() bool) error {
	stop := context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.changed.Broadcast()
	})
	defer stop()
	for {
		b.mu.Lock()
		seen := b.version
		b.mu.Unlock()
		if met() {
			return nil
		}
		b.mu.Lock()
		for b.version == seen && ctx.Err() == nil {
			b.changed.Wait()
		}
		b.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
