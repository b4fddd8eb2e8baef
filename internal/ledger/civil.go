package ledger

import "time"

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
