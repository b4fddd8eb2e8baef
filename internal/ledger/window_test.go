package ledger

import (
	"testing"
	"time"
)

// Every day from long before 1970 to long after, by the standard library.
func TestWindowsOfTheCalendarAreThoseOfTime(t *testing.T) {
	day, month := Window{Calendar: Day}, Window{Calendar: Month}
	from := time.Date(1599, time.January, 1, 13, 14, 15, 16000, time.UTC)
	for at := from; at.Year() < 2402; at = at.AddDate(0, 0, 1) {
		now := at.UnixMicro()
		y, m, d := at.Date()
		for _, tt := range []struct {
			name       string
			window     Window
			begin, end time.Time
		}{
			{"day", day, time.Date(y, m, d, 0, 0, 0, 0, time.UTC), time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)},
			{"month", month, time.Date(y, m, 1, 0, 0, 0, 0, time.UTC), time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)},
		} {
			slice := tt.window.Slice(now)
			if slice != tt.begin.UnixMicro() || tt.window.Leaves(slice) != tt.end.UnixMicro() {
				t.Fatalf("the %s of %s is from %s to %s", tt.name, at,
					time.UnixMicro(slice).UTC(), time.UnixMicro(tt.window.Leaves(slice)).UTC())
			}
			if last := tt.end.UnixMicro() - 1; !tt.window.Holds(slice, last) || tt.window.Holds(slice, last+1) {
				t.Fatalf("the %s of %s is held wrongly at its end", tt.name, at)
			}
		}
	}
}

func TestARollingWindowLosesWholeSlices(t *testing.T) {
	tests := []struct {
		name          string
		length        time.Duration
		now           int64
		slice, leaves int64
	}{
		{name: "in the middle of a slice", length: time.Minute, now: 90_500_000, slice: 90_000_000, leaves: 151_000_000},
		{name: "at the beginning of a slice", length: time.Minute, now: 90_000_000, slice: 90_000_000, leaves: 151_000_000},
		{name: "a microsecond before", length: time.Minute, now: 89_999_999, slice: 89_000_000, leaves: 150_000_000},
		{name: "a length that 60 does not divide", length: 61 * time.Microsecond, now: 7, slice: 6, leaves: 69},
		{name: "no length", length: 0, now: 7, slice: 7, leaves: 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := Window{Length: tt.length}
			slice := w.Slice(tt.now)
			if slice != tt.slice || w.Leaves(slice) != tt.leaves {
				t.Errorf("slice %d leaves at %d, want %d at %d", slice, w.Leaves(slice), tt.slice, tt.leaves)
			}
			if !w.Holds(slice, tt.leaves-1) || w.Holds(slice, tt.leaves) {
				t.Error("it is not held until it leaves")
			}
		})
	}
}
