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

const microsPerDay = int64(24*time.Hour) / int64(time.Microsecond)

// The days of the calendar's periods. A calendar repeats itself after 400
// years; in these the last century is a day longer than the others, and so is
// the last year of four.
const (
	daysPer400Years = 146097
	daysPer100Years = 36524
	daysPer4Years   = 1461
	daysPerYear     = 365
)

// marchOf0 is how many days the first of March of the year 0 is before
// 1970-01-01.
const marchOf0 = 719468

// monthOf returns the first day of the month that day is in, and how many days
// that month has. Days are counted from 1970-01-01, as UTC counts them.
//
// Years are taken to begin in March, so that a leap day is the last of its
// year and moves no month.
func monthOf(day int64) (first, days int64) {
	day += marchOf0
	rest := day - floorDiv(day, daysPer400Years)*daysPer400Years
	century := min(rest/daysPer100Years, 3)
	rest -= century * daysPer100Years
	four := rest / daysPer4Years
	rest -= four * daysPer4Years
	year := min(rest/daysPerYear, 3)
	rest -= year * daysPerYear

	// rest is the day of the year that began in March; m is its month, by way
	// of the months' lengths from March on: 31, 30, 31, 30, 31, which is 153
	// days, twice over, and then January.
	m := (5*rest + 2) / 153
	begins, ends := daysBefore(m), daysBefore(m+1)
	if m == 11 { // February
		ends = daysPerYear
		if year == 3 && (four < 24 || century == 3) {
			ends++
		}
	}
	return day - rest + begins - marchOf0, ends - begins
}

// daysBefore returns how many days the m months from March on have.
func daysBefore(m int64) int64 { return (153*m + 2) / 5 }

// floorDiv is a/b, rounded down where / rounds towards 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
