package upstream

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/holysheep/relay/internal/sse"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

// stream looks into an answer that is a stream of events, and reads ahead to its
// first that means something. It returns [ErrEmptyStream] and [ErrFirstToken],
// and any other error where the stream broke off, after which another upstream
// may be asked. A stream that begins with an error which passes is returned
// with [plugins.FaultEvent] on the attempt.
func (a *asking) stream(req *http.Request, res *http.Response, t *tally) (*http.Response, error) {
	s := &stream{tally: t, events: sse.NewReader(res.Body)}
	if err := s.peek(req.Context()); err != nil {
		_ = s.src.Close()
		s.events.Release()
		return nil, err
	}
	a.vigil.begin()
	if a.added {
		res.ContentLength = -1 // for something is taken out
		res.Header.Del("Content-Length")
	}
	res.Body = s
	return res, nil
}

// peek reads up to the first event that means something, or as much as peek
// says.
func (s *stream) peek(ctx context.Context) error {
	most := int(s.member.set.Peek)
	if most == 0 {
		return nil
	}
	l := s.limit()
	err := s.ahead(most)
	if err != nil || s.attempt.Fault() != plugins.NoFault {
		s.call.SetBegun(false)
	}
	switch {
	case l.exceeded():
		return ErrFirstToken
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case err == io.EOF: //nolint:errorlint // one inside of another error is a body that broke off
		return ErrEmptyStream
	}
	return s.failed(err)
}

// ahead reads up to the first event that means something, but most bytes at
// most.
func (s *stream) ahead(most int) error {
	begun := false
	for len(s.peeked) < most {
		e, err := s.events.Next()
		if err != nil {
			return err
		}
		meaning := wire.Content // of what is too long to be held
		if e.Shape == sse.Whole || e.Shape == sse.Rest || e.Shape == sse.Tail {
			meaning = s.route.Meaning(e.Name, e.Data)
		}
		if meaning == wire.Failure {
			if _, passes := s.route.Passes(e.Name, e.Data); passes {
				s.attempt.SetFault(plugins.FaultEvent)
			}
		}
		if !begun {
			begun = true
			s.call.SetBegun(true)
		}
		if s.see(e); meaning != wire.Silent {
			return nil
		}
		s.peeked = append(s.peeked, s.rest...)
		s.rest = nil
	}
	return nil
}

// limit bounds the time until the first token, as the settings have it.
func (s *stream) limit() *limit {
	if s.member.set.FirstTokenTimeout == 0 {
		return nil
	}
	l := &limit{src: s.src}
	l.timer = time.AfterFunc(s.member.set.FirstTokenTimeout-s.now().Sub(s.sent), l.exceed)
	return l
}

// A limit closes a body when its time is over. A nil limit does nothing.
type limit struct {
	src   io.Closer
	timer *time.Timer
}

func (l *limit) exceed() { _ = l.src.Close() }

// exceeded ends the limit, and reports whether its time was over before.
func (l *limit) exceeded() bool { return l != nil && !l.timer.Stop() }
