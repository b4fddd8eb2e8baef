package plugins

// SetBegun notes whether an upstream has begun a stream of which the client has
// nothing yet: one whose first event that means something has not come. It has
// kept to the time limit on the beginning of an answer then, however long that
// event takes. Whoever looked for it notes false if it does not come.
func (c *Call) SetBegun(begun bool) {
	c.mu.Lock()
	c.begun = begun
	var late []func()
	if !begun {
		late, c.late = c.late, nil
	}
	c.mu.Unlock()
	for _, f := range late {
		f()
	}
}

// Expire calls f, for the time limit on the beginning of the answer is over:
// at once, or if a stream has begun when that comes to nothing.
func (c *Call) Expire(f func()) {
	c.mu.Lock()
	of, begun := c.of, c.begun
	if begun && of == nil {
		c.late = append(c.late, f)
	}
	c.mu.Unlock()
	switch {
	case of != nil:
		of.Expire(f)
	case !begun:
		f()
	}
}
