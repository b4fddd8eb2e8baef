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
// Make them with [NewBuckets].
//
// They have one rate at a time, whoever asks: if each claim brought its own,
// one that was made before the rate changed could fill or drop what has been
// taken since.
//
// They are kept in two generations. What is written goes to the young one;
// when that is as old as a bucket takes to fill, it becomes the old one, and
// the old one, in which every bucket is full by now, is dropped whole. So
// nothing is ever swept entry by entry, and the memory is that of the keys seen
// in the time of two generations.
type Buckets struct {
	rate       Rate
	young, old map[string]int64
	turned     int64
}

// NewBuckets returns buckets that fill at rate. All of them are full.
func NewBuckets(rate Rate) *Buckets { return &Buckets{rate: rate} }

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
func (b *Buckets) turn(now int64) {
	life := max(b.rate.depth(), minLife)
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

// change sets the rate. What is not full begins a generation of its own, since
// the old ones may be older than a bucket now takes to fill.
func (b *Buckets) change(now int64, rate Rate) {
	kept := map[string]int64{}
	for key, full := range b.all() {
		if full > now {
			kept[key] = min(full, now+rate.depth())
		}
	}
	b.rate, b.young, b.old, b.turned = rate, kept, nil, now
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
