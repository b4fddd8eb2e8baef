package gcra

import (
	"iter"
	"math"
	"time"
)

// minLife is how long a generation of buckets lasts at least, in microseconds,
// so that fast rates do not make new maps all the time.
const minLife = int64(10*time.Second) / int64(time.Microsecond)

// Buckets are the buckets of one rule, by key; a full bucket needs no entry.
// The [Memory] that is asked about them guards them, so they belong to one.
// The zero value is ready to use.
//
// They are kept in two generations. What is written goes to the young one;
// when that is as old as a bucket takes to fill, it becomes the old one, and
// the old one, in which every bucket is full by now, is dropped whole. So
// nothing is ever swept entry by entry, and the memory is that of the keys seen
// in the time of two generations.
type Buckets struct {
	young, old map[string]int64
	turned     int64
}

// get returns when the bucket is full: long ago if it has no entry.
func (b *Buckets) get(key string) int64 {
	if full, ok := b.young[key]; ok {
		return full
	}
	if full, ok := b.old[key]; ok {
		return full
	}
	return math.MinInt64
}

func (b *Buckets) put(key string, full int64) {
	if b.young == nil {
		b.young = map[string]int64{}
	}
	b.young[key] = full
}

// turn drops what is full by now. Every put follows a turn, so an entry of the
// young generation was written before that was one life old.
func (b *Buckets) turn(now, depth int64) {
	life := max(depth, minLife)
	switch age := now - b.turned; {
	case age < life:
		return
	case age < 2*life:
		b.young, b.old = nil, b.young
	default:
		b.young, b.old = nil, nil
	}
	b.turned = now
}

// all yields every entry once.
func (b *Buckets) all() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for key, full := range b.young {
			if !yield(key, full) {
				return
			}
		}
		for key, full := range b.old {
			if _, newer := b.young[key]; !newer && !yield(key, full) {
				return
			}
		}
	}
}
