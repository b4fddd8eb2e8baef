package plugins

// Follow has c wait for what asked is asked for, as that of [Detach]: a time
// limit on the beginning of an answer looks whether a stream has begun there.
// A nil asked ends that.
func (c *Call) Follow(asked *Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of = asked
}

// Adopt makes c the call that asked is asked for: it has the attempts of that,
// those to come included, and so what they use. One call at a time answers for
// what is asked: see [Call.Disown].
func (c *Call) Adopt(asked *Call) {
	c.Follow(asked)
	c.Trail.follow(&asked.Trail)
}

// Disown undoes what Adopt did: another call answers for what was asked.
func (c *Call) Disown() {
	c.Follow(nil)
	c.Trail.follow(nil)
}

// AdoptHeaders sets the headers that were set on asked so far, as for an answer
// that c hands on.
func (c *Call) AdoptHeaders(asked *Call) {
	asked.mu.Lock()
	lines := asked.header
	asked.mu.Unlock()
	for _, l := range lines {
		c.SetHeader(l.key, l.value)
	}
}
