package relay

// Replayable reports whether the whole body can be read as often as anybody
// likes, whoever has read it before: it is not longer than what may be held in
// memory. Where its size was not declared, that much of it is read from the
// client to find out, and held, so the body can still be sent as it is. Such a
// body cannot be read again if it breaks off then, or fills the memory to the
// last byte, since nobody has seen that it ends there.
//
// [plugins.Detach] asks for it.
func (b *Body) Replayable() bool {
	if b.size >= 0 {
		return b.size <= b.replay
	}
	_, whole := b.Peek()
	return whole
}

// Replayable reports whether the whole body can be read again; see
// [Body.Replayable].
func (r *reader) Replayable() bool { return r.body.Replayable() }
