package replicas

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/auth"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/limit"
	"github.com/holysheep/relay/plugins/retry"
	"github.com/holysheep/relay/server"
)

// asRelay is the variable that makes a relay of the test's own binary.
const asRelay = "RELAY_TEST_AS_RELAY"

// TestMain holds every test to ending the goroutines that it began. In a
// process of a test it is the relay instead.
func TestMain(m *testing.M) {
	if os.Getenv(asRelay) != "" {
		_ = os.Unsetenv(asRelay)
		server.Main(builtin()...)
		os.Exit(0) // it was told to stop
	}
	goleak.VerifyTestMain(m)
}

// builtin are the plugins of the real binary.
func builtin() []plugins.Plugin {
	return []plugins.Plugin{auth.Plugin, cache.Plugin, limit.Plugin, retry.Plugin}
}
