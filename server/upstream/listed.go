package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/internal/scrub"
	"github.com/holysheep/relay/internal/wire"
	"github.com/holysheep/relay/plugins"
)

const (
	// listTime is how long a list of models is kept before it is asked for again.
	listTime = time.Minute

	// listRest is how long an upstream whose list could not be had is left alone
	// with it.
	listRest = 5 * time.Second

	// listWait bounds the wait for an upstream's list.
	listWait = 10 * time.Second

	// listBytes bounds an upstream's list. The longest known, OpenRouter's of
	// some 350 models with prices and descriptions, has half a megabyte.
	listBytes = 8 << 20
)

// A listed is what is known of an upstream's list of models. It is kept over
// a reload as long as the upstream and its account stay the same.
type listed struct {
	ctx     context.Context //nolint:containedctx // of the questions, which no client's request bounds
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	models  []listedModel // of the last good list
	good    bool          // there was one
	asked   time.Time     // when the latest answer came, good or not
	err     error         // of the latest answer, nil if it was good
	landing chan struct{} // closed when the answer comes that is waited for; nil if none is
}

// keepLists gives every upstream that has a list what is known of it.
func (p *Pool) keepLists(env plugins.Env) error {
	var errs []error
	for _, m := range p.members {
		if !m.hasList() {
			continue
		}
		var err error
		m.list, err = plugins.Keep(env, m.listKey(), func() (*listed, error) {
			l := &listed{}
			l.ctx, l.cancel = context.WithCancel(context.Background())
			return l, nil
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// listKey names what is known of an upstream's list by all that it depends on,
// so that nobody sees the list of another account.
func (m *member) listKey() string {
	parts := []string{m.base.String(), fmt.Sprint(m.set.Wires, m.set.Headers)}
	for _, k := range m.keys.all {
		parts = append(parts, k.secret)
	}
	return "list." + m.name + "." + credential.Hash(strings.Join(parts, "\x00"))
}

// Close implements [io.Closer]: it ends the question that is under way.
func (l *listed) Close() error {
	l.cancel()
	l.running.Wait()
	return nil
}

// refresh has the list read again if that is due, once for all who want it. It
// returns what is closed when the answer has come, nil if none is waited for,
// and whether the answer before that was none.
func (l *listed) refresh(p *Pool, m *member) (landed <-chan struct{}, failing bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.landing == nil && l.due(p.now()) {
		l.landing = make(chan struct{})
		l.running.Go(func() { l.read(p, m) })
	}
	return l.landing, l.err != nil
}

// due reports whether the list is to be read again. l.mu is held.
func (l *listed) due(now time.Time) bool {
	age, rest := now.Sub(l.asked), listTime
	if l.err != nil {
		rest = listRest
	}
	return l.asked.IsZero() || age < 0 || age >= rest
}

// read reads the list and takes down what came of it. It logs when an upstream
// begins to fail in that, and when its list is there again, once each.
func (l *listed) read(p *Pool, m *member) {
	models, err := p.fetchList(l.ctx, m)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ctx.Err() != nil: // nobody wants it any more
	case err == nil && l.err != nil:
		p.log.Info("an upstream lists its models again", "upstream", m.name)
	case err != nil && l.err == nil:
		p.log.Warn("an upstream does not list its models", "upstream", m.name, "kept", l.good, "err", scrub.Error(err))
	}
	if l.err, l.asked = err, p.now(); err == nil {
		l.models, l.good = models, true
	}
	close(l.landing)
	l.landing = nil
}

// fetchList asks the upstream for its models.
func (p *Pool) fetchList(ctx context.Context, m *member) ([]listedModel, error) {
	ctx, cancel := context.WithTimeout(ctx, listWait)
	defer cancel()
	path := modelsPath
	a := &asking{Pool: p, call: plugins.NewCall("", nil), attempt: &plugins.Attempt{}, member: m}
	a.route, _ = wire.Of(path)
	if !m.speaksOpenAI() {
		a.route.Wire, path = wire.Anthropic, path+"?limit=1000" // a page, as long as can be
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if a.route.Wire == wire.Anthropic {
		req.Header.Set("Anthropic-Version", "2023-06-01")
	}
	a.key = m.keys.pick(p.now(), a.call)
	res, err := a.send(req)
	if err == nil {
		res, err = a.judgeKey(req, res)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	return readList(res, m.name)
}

// speaksOpenAI reports whether the upstream has OpenAI's list of models.
func (m *member) speaksOpenAI() bool { return m.wires&wireBit(wire.OpenAI) != 0 }

// readList reads the models out of an upstream's answer.
func readList(res *http.Response, upstream string) ([]listedModel, error) {
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("upstream %s: status %d in place of a list of models", upstream, res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, listBytes+1))
	if err != nil {
		return nil, scrub.Wrap("upstream "+upstream+": ", err)
	}
	if len(body) > listBytes {
		return nil, fmt.Errorf("upstream %s: a list of models of more than %d MiB", upstream, listBytes>>20)
	}
	models, err := parseList(body, upstream)
	if err != nil {
		return nil, fmt.Errorf("upstream %s: %w", upstream, err)
	}
	return models, nil
}

// lastError returns why the latest answer was none.
func (l *listed) lastError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// last returns the models of the last good list, and whether there was one.
func (l *listed) last() ([]listedModel, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.models, l.good
}
