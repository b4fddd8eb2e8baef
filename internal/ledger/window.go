package ledger

import "time"

// slices is into how many slices a rolling window is cut. What was spent leaves
// the window a slice at a time, when the whole slice is older than the window:
// up to 1/60 of the window late, never early.
const slices = 60

// A Window is the time that a budget is for.
type Window struct {
	// Calendar is Day or Month, in UTC; it is 0 for a rolling window.
	Calendar Calendar

	// Length is that of a rolling window: spent is what was spent in the last
	// Length.
	Length time.Duration
}

// A Calendar is a window of the calendar, in UTC.
type Calendar uint8

// The windows of the calendar.
const (
	Rolling Calendar = iota
	Day
	Month
)

// Width is how long a slice of a rolling window lasts, in microseconds, rounded
// up.
func (w Window) Width() int64 { return (w.Length.Microseconds() + slices - 1) / slices }
