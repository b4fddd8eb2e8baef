package ledger

import "time"

// perWindow is into how many slices a rolling window is cut. What was spent leaves
// the window a slice at a time, when the whole slice is older than the window:
// up to 1/60 of the window late, never early.
const perWindow = 60

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
// up; 1 at least.
func (w Window) Width() int64 { return max((w.Length.Microseconds()+perWindow-1)/perWindow, 1) }

// Slice returns the beginning of the slice that now is in. All instants are in
// microseconds since 1970. The slice of a window of the calendar is the whole
// window; those of rolling windows are counted from 1970 on.
func (w Window) Slice(now int64) int64 {
	switch day := floorDiv(now, microsPerDay); w.Calendar {
	case Day:
		return day * microsPerDay
	case Month:
		first, _ := monthOf(day)
		return first * microsPerDay
	}
	return floorDiv(now, w.Width()) * w.Width()
}

// Leaves returns the instant at which the slice that begins at slice is no
// longer in the window: of the calendar the end of the day or month, of a
// rolling window when the end of the slice is as old as the window is long.
func (w Window) Leaves(slice int64) int64 {
	switch w.Calendar {
	case Day:
		return slice + microsPerDay
	case Month:
		first, days := monthOf(floorDiv(slice, microsPerDay))
		return (first + days) * microsPerDay
	}
	return slice + w.Width() + w.Length.Microseconds()
}

// Holds returns whether, at now, the slice that begins at slice is in the
// window.
func (w Window) Holds(slice, now int64) bool {
	if w.Calendar == Rolling {
		return now < w.Leaves(slice)
	}
	return slice == w.Slice(now)
}
