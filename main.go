// Relay answers clients in front of LLM upstreams, through a chain of plugins.
package main

import (
	"github.com/holysheep/relay/plugins/auth"
	"github.com/holysheep/relay/plugins/cache"
	"github.com/holysheep/relay/plugins/limit"
	"github.com/holysheep/relay/plugins/retry"
	"github.com/holysheep/relay/server"
)

// Their order here means nothing: the configuration's chain says which plugins
// run, and in which order.
func main() {
	server.Main(auth.Plugin, cache.Plugin, limit.Plugin, retry.Plugin)
}
