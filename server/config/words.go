package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holysheep/relay/internal/tree"
	"github.com/holysheep/relay/server/upstream"
)

// words says in words what becomes of a request: through what it goes, which
// upstream answers it, and what happens where one fails.
func (l *Loaded) words() string {
	c := l.Config
	lines := []string{"The effective configuration, and where each value comes from.", c.way(), ""}
	lines = append(lines, c.pool().Words()...)
	for _, name := range c.Chain {
		// What a plugin does on failure is its own to say.
		if p, ok := c.Plugins[name].(interface{ Words() []string }); ok {
			lines = append(lines, "", name+":")
			for _, line := range p.Words() {
				lines = append(lines, "  "+line)
			}
		}
	}
	for _, part := range []struct {
		title string
		lines []string
	}{{"Replicas:", c.replicas()}, {"Prices:", c.priced()}, {"Streams and clients:", c.streams()}} {
		lines = append(lines, "", part.title)
		for _, line := range part.lines {
			lines = append(lines, "  "+line)
		}
	}
	return strings.Join(lines, "\n")
}

// pool returns the configuration of the pool without what looks like a key of an
// API, wherever somebody put one by mistake.
func (c Config) pool() upstream.Config {
	p := upstream.Config{Upstreams: map[string]upstream.Settings{}, Fallbacks: map[string][]string{}, Health: c.Health}
	for name, s := range c.Upstreams {
		s.BaseURL = tree.Hide("base_url", s.BaseURL)
		s.Models = hidden(s.Models)
		rewrite := map[string]string{}
		for from, to := range s.Rewrite {
			rewrite[tree.Hide("", from)] = tree.Hide("", to)
		}
		s.Rewrite = rewrite
		p.Upstreams[name] = s
	}
	for model, others := range c.Fallbacks {
		p.Fallbacks[tree.Hide("", model)] = hidden(others)
	}
	return p
}

// hidden returns the names of models without what looks like a key.
func hidden(models []string) []string {
	all := make([]string, len(models))
	for i, model := range models {
		all[i] = tree.Hide("", model)
	}
	return all
}

// replicas says in words what replicas of the relay share.
func (c Config) replicas() []string {
	r := c.Redis
	if r.Kind() == "" {
		return []string{"There is no Redis: each replica counts and remembers for itself alone."}
	}
	at := tree.Hide("", strings.Join(r.Addresses, ", "))
	switch r.Kind() {
	case "sentinel":
		at = "the master " + tree.Hide("", r.Sentinel.Master) + " of the Sentinels at " + at
	case "cluster":
		at = "the cluster at " + at
	}
	return []string{
		fmt.Sprintf("Relays with the prefix %s share what plugins keep in Redis, such as the counters of limits: at %s.", tree.Hide("", r.Prefix), at),
		"The relay starts without Redis, and does not stop without it: what then becomes of a request, each plugin says.",
	}
}

// priced says in words which models have a price: there are always those of the
// defaults.
func (c Config) priced() []string {
	models := slices.Sorted(maps.Keys(c.Prices))
	return []string{fmt.Sprintf("Known for %s; what an answer of any other model costs is not.", strings.Join(hidden(models), ", "))}
}

// streams says in words what streams and clients that leave can expect.
func (c Config) streams() []string {
	bound := "An answer may take as long as it likes to begin."
	if c.RequestTimeout > 0 {
		bound = fmt.Sprintf("An answer has to begin, and one that is not streamed to end, within %s: 504 upstream_timeout.", tree.Short(c.RequestTimeout))
	}
	alive := "A stream without its first event sends nothing meanwhile."
	if c.StreamKeepalive > 0 {
		alive = fmt.Sprintf("A stream without its first event gets a comment every %s; errors after it are events of the stream.", tree.Short(c.StreamKeepalive))
	}
	gone := "A client that leaves cancels what it asked for at the upstream."
	if c.OnClientGone == "drain" {
		gone = fmt.Sprintf("The answer to a client that left is read on, for at most %s and %s, so that its use is known.",
			tree.Short(c.ClientGoneTime), c.ClientGoneBytes)
	}
	return []string{
		bound, alive, gone,
		"A stream that breaks off gets an error event in its API's own form, and its connection is cut: never [DONE].",
	}
}
