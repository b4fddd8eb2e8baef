package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/holysheep/relay/internal/breaker"
	"github.com/holysheep/relay/internal/scrub"
	"github.com/holysheep/relay/plugins"
)

// A verdict is what an attempt says of the upstream's health.
type verdict uint8

const (
	nothing verdict = iota // as of a request that was given up, or of a refused key
	good
	bad
)

// settle takes down what the attempt came to, and returns it. The place at the
// upstream is free when the answer's body has ended.
func (a *asking) settle(req *http.Request, res *http.Response, err error) (*http.Response, error) {
	ctx := req.Context()
	if err != nil && reachedNobody(err) {
		a.attempt.SetUnsent()
		a.attempt.SetAlternatives(a.elsewhere) // the same upstream would not be reached for another model either
	}
	if len(a.config.Fallbacks[a.asked()]) > 0 && ctx.Err() == nil {
		a.call.SetHeader("X-Relay-Model", a.model)
	}
	v, wait := a.judge(req, res, err)
	why := ""
	switch {
	case v == bad && a.attempt.Fault() == plugins.FaultEvent:
		why = "a stream began with an error"
	case v == bad:
		why = failure(res, err)
	}
	a.report(ctx, v, wait, why)
	a.hear(ctx, v, err)
	a.settled = true
	if err != nil {
		a.giveUp(req)
		a.member.state.leave()
		return nil, err
	}
	a.follow(req, res, v)
	return res, nil
}

// giveUp takes down what a request may have used whose client left, or whose
// time was up, before there was any answer: an upstream that was asked may have
// worked on it all the same.
func (a *asking) giveUp(req *http.Request) {
	if req.Context().Err() == nil || a.attempt.Unsent() || !a.route.Inspected() {
		return
	}
	a.used(a.usageReader(req).Usage(false))
}

// used takes down what the attempt has used, and what that costs.
func (a *asking) used(u plugins.Usage) {
	a.attempt.SetUsage(u)
	a.member.state.meters.tokens.used(u)
	a.metrics.costs.used(a.prices, a.call.ModelOf(a.attempt), u)
}

// abandon gives back what an attempt holds that came to nothing, by a panic.
func (a *asking) abandon() {
	if !a.settled {
		a.member.state.breaker.Forget(a.ticket)
		a.member.state.leave()
	}
}

// asked returns the model that the client asked for, as the pool went by it.
func (a *asking) asked() string {
	if !a.routes {
		return ""
	}
	return a.call.Ask().Model
}

// judge tells what the attempt says of the upstream, and how long that wants to
// be left alone.
func (a *asking) judge(req *http.Request, res *http.Response, err error) (verdict, time.Duration) {
	switch {
	case a.blameless(req, res, err):
		return nothing, 0
	case err != nil && overdue(req.Context()):
		return bad, 0
	case err != nil:
		if e, ok := plugins.AsError(err); ok && !e.Again {
			return nothing, 0 // somebody's last word, and not on the upstream
		}
		return bad, 0
	}
	switch a.attempt.Fault() {
	case plugins.FaultKey:
		return nothing, 0
	case plugins.FaultEvent:
		return bad, 0
	}
	switch status := res.StatusCode; {
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusPaymentRequired:
		return nothing, 0 // on the key
	case passes(status):
		return bad, plugins.RetryAfter(res.Header, a.now())
	}
	return good, 0
}

// blameless reports whether the attempt came to its end by no fault of the
// upstream's: nothing was sent to it, the client left, or its body broke off or
// came so slowly that the time was up.
func (a *asking) blameless(req *http.Request, res *http.Response, err error) bool {
	if err == nil {
		return res.StatusCode == http.StatusRequestTimeout && a.upload.held(a.sent, a.now())
	}
	ctx := req.Context()
	return a.sent.IsZero() || errors.Is(err, ErrKey) || ctx.Err() != nil && !overdue(ctx) ||
		broken(req) || a.upload.held(a.sent, a.now())
}

// passes reports whether the status is that of an error which is the server's,
// or passes: ill health, if it goes on. 501 is none: it says that a healthy
// server has no such endpoint, as llama.cpp says of embeddings.
func passes(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusRequestTimeout:
		return true
	}
	return status >= 500 && status != http.StatusNotImplemented
}

// broken reports whether the body of the request cannot be read to its end: a
// transport fails by that as well, and it is the client's fault.
func broken(req *http.Request) bool {
	if req.GetBody == nil {
		return false
	}
	body, err := req.GetBody()
	if err == nil {
		_ = body.Close()
	}
	return err != nil && !errors.Is(err, plugins.ErrBodyGone)
}

// reachedNobody reports whether err shows that nothing was sent: there was no
// connection, or its handshake failed.
func reachedNobody(err error) bool {
	if dial, ok := errors.AsType[*net.OpError](err); ok {
		switch dial.Op {
		case "dial", "proxyconnect", "socks connect":
			return true
		}
	}
	var (
		record   tls.RecordHeaderError
		verify   *tls.CertificateVerificationError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
	)
	return errors.As(err, &record) || errors.As(err, &verify) || errors.As(err, &unknown) ||
		errors.As(err, &hostname) || errors.As(err, &invalid) ||
		// net/http keeps the type of this one for itself.
		strings.HasSuffix(err.Error(), "TLS handshake timeout")
}

// failure returns what failed, in words that hold nothing which the upstream
// wrote.
func failure(res *http.Response, err error) string {
	if err != nil {
		return scrub.Error(err)
	}
	return "status " + strconv.Itoa(res.StatusCode)
}

// report tells the breaker, and the log what has changed by that.
func (a *asking) report(ctx context.Context, v verdict, wait time.Duration, why string) {
	s := a.member.state
	var change breaker.Change
	switch v {
	case nothing:
		s.breaker.Forget(a.ticket)
		return
	case good:
		a.ticket, change = s.breaker.Answered(a.now(), a.ticket)
	case bad:
		last := why // which is on the heap, as why is not
		s.last.Store(&last)
		change = s.breaker.Failure(a.now(), a.ticket, wait)
	}
	a.tell(ctx, a.member, change, why)
}

// hear logs when an upstream begins to give no answer at all, long before it is
// taken out, and when it answers again, once each.
func (a *asking) hear(ctx context.Context, v verdict, err error) {
	s := a.member.state
	switch {
	case err == nil || errors.Is(err, ErrKey):
		if s.failing.Load() && s.failing.Swap(false) {
			a.log.InfoContext(ctx, "an upstream answers again", "upstream", a.member.name)
		}
	case v == bad && !s.failing.Swap(true):
		a.log.WarnContext(ctx, "an upstream does not answer", "upstream", a.member.name, "err", scrub.Error(err))
	}
}

// tell logs when an upstream is taken out and when it is back, once each: where
// a spare one answers, nobody else would say so.
func (p *Pool) tell(ctx context.Context, m *member, c breaker.Change, why string) {
	switch {
	case c.Out:
		m.state.meters.ejections[c.Reason].Inc()
		m.state.meters.show(false)
		level := slog.LevelWarn
		if c.Again {
			level = slog.LevelDebug
		}
		p.log.Log(ctx, level, "an upstream is taken out", "upstream", m.name,
			"reason", string(c.Reason), "out_for", c.For.String(), "err", why)
	case c.Back:
		m.state.meters.show(true)
		p.log.InfoContext(ctx, "an upstream is back", "upstream", m.name,
			"reason", string(c.Reason), "out_for", c.For.String())
	}
}

// follow waits for the end of the answer's body, which frees the upstream's
// place, and tells of a good answer whether it was one to its end. How a
// connection of another protocol ends says nothing: that it began is all.
func (a *asking) follow(req *http.Request, res *http.Response, v verdict) {
	if res.StatusCode == http.StatusSwitchingProtocols {
		a.member.state.breaker.Success(a.now(), a.ticket)
		plugins.Watch(res, nil, func(bool) { a.member.state.leave() })
		return
	}
	a.end = followed{body: res.Body, asking: a, req: req, verdict: v}
	res.Body = &a.end
}
