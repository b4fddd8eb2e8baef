package config

import "slices"

// LocalListen is where a relay listens of which nothing says who may ask: on
// this machine only.
const LocalListen = "127.0.0.1:8080"

// local changes the defaults that begin a configuration which says nothing of
// clients, so that an upstream alone is a whole one: auth, which would know
// nobody, is not in the chain, and only this machine is listened to, unless
// anonymous clients are allowed. It changes nothing that was said.
func (l *loader) local(cfg *Config) {
	if l.get("chain") != nil || l.get("plugins", "auth") != nil || !slices.Contains(cfg.Chain, "auth") {
		return
	}
	l.unasked = true
	cfg.Chain = slices.DeleteFunc(cfg.Chain, func(name string) bool { return name == "auth" })
	if l.get("listen") != nil || cfg.AllowAnonymous {
		l.warn("nobody is asked for a key: no client is named in plugins.auth")
		return
	}
	cfg.Listen = LocalListen
	l.warn("nobody is asked for a key, so only this machine is listened to, at %s: name clients in plugins.auth", LocalListen)
}
