package redistest

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain holds every test to ending the goroutines that it began.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
