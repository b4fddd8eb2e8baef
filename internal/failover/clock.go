package failover

import "time"

// A clock knows the store's time by the latest beat.
type clock struct {
	store, here time.Time
}

// micros returns the store's time at an instant of ours, in microseconds since
// 1970; ours, as long as the store's is not known.
func (k clock) micros(at time.Time) int64 {
	if k.here.IsZero() {
		return at.UnixMicro()
	}
	return k.store.Add(at.Sub(k.here)).UnixMicro()
}
