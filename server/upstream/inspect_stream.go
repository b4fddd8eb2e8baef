package upstream

import (
	"bytes"
	"io"
	"net/http"

	"github.com/holysheep/relay/internal/canon"
	"github.com/holysheep/relay/internal/sse"
)

// A stream is the body of an answer that is a stream of events. It hands out
// whole events, all that have come, and never waits for one while it has
// another. After a source that broke off it hands out no half of one, so that
// an event of the relay's own can follow.
type stream struct {
	*tally
	events *sse.Reader // nil when src has ended or was closed
	err    error       // that src has ended with

	peeked []byte // read before the answer began, and not handed out
	rest   []byte // of the latest event, not handed out

	spoke   bool // content has come
	long    bool // the latest event came in parts, and more of them are to come
	dropped bool // the latest event was left out
}

// Read implements [io.Reader].
func (s *stream) Read(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		n += s.give(p[n:])
		switch {
		case n == len(p):
			return n, nil
		case s.events == nil && n > 0:
			return n, nil
		case s.events == nil:
			return 0, s.err
		case n > 0 && !s.events.Ready():
			return n, nil
		}
		e, err := s.events.Next()
		if err != nil {
			s.finish(err)
			continue
		}
		s.see(e)
	}
}

// give hands out what was read before.
func (s *stream) give(p []byte) (n int) {
	if len(s.peeked) > 0 {
		n = copy(p, s.peeked)
		if s.peeked = s.peeked[n:]; len(s.peeked) == 0 {
			s.peeked = nil
		}
	}
	m := copy(p[n:], s.rest)
	s.rest = s.rest[m:]
	return n + m
}

// Close implements [io.Closer]. It may be called while Read waits.
func (s *stream) Close() error {
	err := s.src.Close() // first: it ends a Read
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peeked, s.rest = nil, nil
	s.finish(http.ErrBodyReadAfterClose)
	return err
}

// finish ends the stream with err, before whoever reads it hears of it.
func (s *stream) finish(err error) {
	if s.events == nil {
		return
	}
	s.events.Release()
	s.events, s.err = nil, err
	s.close(err == io.EOF) //nolint:errorlint // one inside of another error is a body that broke off
}

// see takes down what an event says, and has what the client gets of it handed
// out next.
func (s *stream) see(e sse.Event) {
	content := false
	switch {
	case e.Shape == sse.Tail:
		if !s.dropped {
			s.rest = e.Raw
		}
		return
	case s.long || e.Shape == sse.Piece:
		s.long = e.Shape == sse.Piece
		s.usage.EventPart(e.Data, !s.long)
		s.rest, s.dropped, content = e.Raw, false, true
	default:
		content = s.usage.Event(e.Name, e.Data)
		s.rest = s.strip(e)
	}
	if content && !s.spoke {
		s.spoke = true
		s.member.state.meters.tokens.spoke(s.now().Sub(s.sent))
	}
}

// strip returns what the client gets of an event. Where it did not ask for
// usage and the relay did, that is nothing of the event that tells it, and the
// others without the usage of null that they have since.
func (s *stream) strip(e sse.Event) []byte {
	s.dropped = false
	if !s.added || !bytes.Contains(e.Data, []byte(`"usage"`)) {
		return e.Raw
	}
	if s.dropped = tellsUsage(e.Data); s.dropped {
		return nil
	}
	from, to := canon.Cut(e.Data, "usage", "null")
	if from == to || e.At < 0 { // or the data came in several lines, which no known upstream sends
		return e.Raw
	}
	n := copy(e.Raw[e.At+from:], e.Raw[e.At+to:])
	return e.Raw[:e.At+from+n]
}

// tellsUsage reports whether a chunk is the one that include_usage adds: it has
// usage and no choice.
func tellsUsage(data []byte) bool {
	usage, none := false, false
	for name, value := range canon.Members(data) {
		switch string(name) {
		case "usage":
			usage = bytes.HasPrefix(value, []byte("{"))
		case "choices":
			none = bytes.HasPrefix(value, []byte("["))
			for range canon.Elements(value) {
				none = false
			}
		}
	}
	return usage && none
}
