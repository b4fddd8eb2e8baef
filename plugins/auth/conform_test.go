package auth

import (
	"testing"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestConform(t *testing.T) {
	some := func(s plugins.Settings) plugins.Settings {
		settings := s.(Settings)
		settings.Clients = map[string]client{"a": {Keys: map[string]key{"k": {SHA256: hash}}}}
		return settings
	}
	plugintest.Conform(t, Plugin, some, ErrMissing, ErrConflict, ErrInvalid, ErrExpired, ErrDisabled, ErrModelNotAllowed)
}
