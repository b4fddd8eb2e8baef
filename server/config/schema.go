package config

import (
	"errors"

	"github.com/holysheep/relay/plugins"
)

// Schema returns the JSON schema of the configuration file.
func Schema(known []plugins.Plugin) ([]byte, error) { return nil, errors.ErrUnsupported }
