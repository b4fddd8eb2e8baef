package cache_test

import (
	"testing"

	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestConform(t *testing.T) {
	plugintest.Conform(t, cache.Plugin, nil, cache.ErrNotCached, cache.ErrInvalidKey, cache.ErrNotPurged, cache.ErrBehind)
}
