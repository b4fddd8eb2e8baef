package cache_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

const greedyStream = `{"model":"m","temperature":0,"messages":[],"stream":true}`

// An asker is a client that asks and reads at its own pace.
type asker struct {
	body  string
	late  time.Duration // when it asks
	pace  time.Duration // before each read
	leave time.Duration // after which it leaves; 0 is never

	req     *http.Request
	got     string
	status  int
	err     error
	cache   string
	arrived []time.Duration // of each piece, since the test began
}

// run asks.
func (a *asker) run(t *testing.T, rt http.RoundTripper, begin time.Time) {
	t.Helper()
	time.Sleep(a.late)
	ctx, cancel := context.WithCancel(plugintest.Request(t, a.body).Context())
	defer cancel()
	if a.leave > 0 {
		timer := time.AfterFunc(a.leave, cancel)
		defer timer.Stop()
	}
	a.req = plugintest.Request(t, a.body).WithContext(ctx)
	call := plugins.NewCall("r", func() plugins.Ask { return plugins.ReadAsk(a.req, []byte(a.body), true) })
	a.req = a.req.WithContext(plugins.WithCall(ctx, call))
	res, err := rt.RoundTrip(a.req)
	a.cache = call.Cache()
	if err != nil {
		a.err = err
		return
	}
	defer func() { _ = res.Body.Close() }()
	a.status = res.StatusCode
	buf := make([]byte, 4096)
	for {
		time.Sleep(a.pace)
		n, err := res.Body.Read(buf)
		if n > 0 {
			a.got += string(buf[:n])
			a.arrived = append(a.arrived, time.Since(begin))
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				a.err = err
			}
			return
		}
	}
}

// together has all ask, and waits for them.
func together(t *testing.T, rt http.RoundTripper, all ...*asker) {
	t.Helper()
	begin, done := time.Now(), make(chan struct{})
	for _, a := range all {
		go func() {
			a.run(t, rt, begin)
			done <- struct{}{}
		}()
	}
	for range all {
		<-done
	}
	synctest.Wait()
}

// many returns n askers alike.
func many(n int, like asker) (all []*asker) {
	for range n {
		one := like
		all = append(all, &one)
	}
	return all
}

// quiet checks how often the upstream was asked, and that nothing is left open.
func quiet(t *testing.T, u *talk, asked int) {
	t.Helper()
	if n, open, _ := u.counts(); n != asked || open != 0 {
		t.Errorf("the upstream was asked %d times and has %d bodies open, want %d and none", n, open, asked)
	}
}
