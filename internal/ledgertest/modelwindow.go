package ledgertest

import (
	"time"

	"github.com/holysheep/relay/internal/ledger"
)

// The windows of the model are those of the package time.

func sliceOf(w ledger.Window, now int64) int64 {
	y, m, d := time.UnixMicro(now).UTC().Date()
	switch w.Calendar {
	case ledger.Day:
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).UnixMicro()
	case ledger.Month:
		return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	}
	return now - now%w.Width()
}

func leaves(w ledger.Window, slice int64) int64 {
	begin := time.UnixMicro(slice).UTC()
	switch w.Calendar {
	case ledger.Day:
		return begin.AddDate(0, 0, 1).UnixMicro()
	case ledger.Month:
		return begin.AddDate(0, 1, 0).UnixMicro()
	}
	return slice + w.Width() + w.Length.Microseconds()
}

func inWindow(w ledger.Window, slice, now int64) bool { return now < leaves(w, slice) }
