package breaker

import "time"

// slots is in how many parts a window counts: what is older than it leaves in
// steps of a tenth.
const slots = 10

// A window counts what was reported within a time that ends now.
type window struct {
	start  time.Time
	slot   time.Duration
	latest int64 // the number of the slot that is counted in
	counts [slots]struct{ all, bad int }
}

func newWindow(now time.Time, length time.Duration) window {
	return window{start: now, slot: max(length/slots, 1)}
}

// advance makes the slot of now the latest. Time never goes back.
func (w *window) advance(now time.Time) {
	n := int64(now.Sub(w.start) / w.slot)
	for i := w.latest + 1; i <= min(n, w.latest+slots); i++ {
		w.counts[i%slots] = struct{ all, bad int }{}
	}
	w.latest = max(w.latest, n)
}

func (w *window) count(now time.Time, bad bool) {
	w.advance(now)
	c := &w.counts[w.latest%slots]
	c.all++
	if bad {
		c.bad++
	}
}

func (w *window) sums() (all, bad int) {
	for _, c := range w.counts {
		all, bad = all+c.all, bad+c.bad
	}
	return all, bad
}

// reaches reports whether enough was counted and that share of it was bad.
func (w *window) reaches(percent, least int) bool {
	all, bad := w.sums()
	return all >= least && bad*100 >= all*percent
}

func (w *window) clear() { clear(w.counts[:]) }
