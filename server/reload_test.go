package server

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/holysheep/relay/plugins"
)

// capped is a configuration with the given cap in flight.
func capped(upstream string, most int) string {
	return complete("log: {access: false}\ndrain: 5s\nchain: [auth, closes, limit, cache, retry]\nplugins:\n"+
		"  auth: {clients: {tester: {keys: {one: {sha256: HASH}}}}}\n  limit: {max_in_flight: "+itoa(most)+"}\n", upstream)
}

// renamed is a file that is changed as an editor does it.
func renamed(t *testing.T) (path string, change func(text string)) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "relay.yaml")
	return path, func(text string) { replaceFile(t, path, text) }
}

// mounted is a file of a ConfigMap, changed as a kubelet does it: the file is a
// link into ..data, which is a link to a directory and is swapped as a whole.
func mounted(t *testing.T) (path string, change func(text string)) {
	t.Helper()
	dir, n := t.TempDir(), 0
	in := func(name string) string { return filepath.Join(dir, name) }
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.Symlink("..data/relay.yaml", in("relay.yaml")))
	return in("relay.yaml"), func(text string) {
		n++
		now := "..version_" + itoa(n)
		check(os.Mkdir(in(now), 0o700))
		check(os.WriteFile(filepath.Join(in(now), "relay.yaml"), []byte(text), 0o600))
		check(os.Symlink(now, in("..data_tmp")))
		check(os.Rename(in("..data_tmp"), in("..data")))
		check(os.RemoveAll(in("..version_" + itoa(n-1))))
	}
}

// closes is a plugin that tells when it is closed.
func closes(closed chan<- struct{}) plugins.Plugin {
	return plugins.Define("closes", func() noSettings { return noSettings{} }, func(noSettings, plugins.Env) (plugins.Link, error) {
		return plugins.Link{Close: func(context.Context) error { closed <- struct{}{}; return nil }}, nil
	})
}

func TestAHundredReloads(t *testing.T) {
	for name, file := range map[string]func(*testing.T) (string, func(string)){
		"by a rename": renamed, "by a ConfigMap's swap": mounted,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up, closed := newHeld(t), make(chan struct{}, 200)
			path, change := file(t)
			change(capped(up.URL, 1000))
			r := &running{Log: &logs{}, Config: path, Plugins: []plugins.Plugin{closes(closed)}}
			r.start(t, "", "")
			streams := r.reloadUnderLoad(t, up, change)
			r.checkCap(t, up, streams, func(most int) { change(capped(up.URL, most)); r.loaded(t, 101) })
			for range 101 {
				select {
				case <-closed:
				case <-time.After(time.Minute):
					t.Fatal("an old configuration is not freed")
				}
			}
			if len(closed) > 0 {
				t.Error("the running configuration was closed")
			}
		})
	}
}

// reloadUnderLoad changes the file 100 times while a client asks all the time,
// and before 30 of the changes opens a stream that it leaves open.
func (r *running) reloadUnderLoad(t *testing.T, up *held, change func(string)) (open []*heldStream) {
	t.Helper()
	stop := r.ask(t)
	before := r.counters(t)
	for i := 1; i <= 100; i++ {
		if i%10 < 3 {
			open = append(open, up.open(t, r))
		}
		change(capped(up.URL, 1000+i))
		r.loaded(t, i)
		res, _ := do(t, r.request(t, http.MethodGet, "/v1/models", ""))
		if got := res.Header.Get("X-Ratelimit-Limit"); got != itoa(1000+i) {
			t.Fatalf("change %d: the limit is %q", i, got)
		}
		now := r.counters(t)
		for name, was := range before {
			if now[name] < was {
				t.Errorf("change %d: %s fell from %g to %g", i, name, was, now[name])
			}
		}
		before = now
	}
	if asked := stop(); asked < 100 {
		t.Errorf("the client asked %d times only", asked)
	}
	if got := r.metric(t, "relay_config_reloads_total", "result", "success"); got != 101 {
		t.Errorf("%g configurations were loaded, want 101", got)
	}
	return open
}

// ask asks again and again, until it is stopped, and fails the test at the
// first answer that is not good. stop returns how often it asked.
func (r *running) ask(t *testing.T) (stop func() (asked int)) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	end, asked := make(chan struct{}), 0
	var done sync.WaitGroup
	done.Go(func() {
		for ; ; asked++ {
			select {
			case <-end:
				return
			default:
			}
			req := r.request(t, http.MethodPost, "/v1/chat/completions", `{"model":"demo"}`)
			res, err := client.Do(req)
			if err != nil {
				t.Errorf("request %d was lost: %v", asked, err)
				return
			}
			body, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK || err != nil {
				t.Errorf("request %d: %d %s, %v", asked, res.StatusCode, body, err)
				return
			}
		}
	})
	once := sync.OnceFunc(func() { close(end); done.Wait(); client.CloseIdleConnections() })
	t.Cleanup(once)
	return func() int { once(); return asked }
}

// checkCap holds the cap in flight to count the streams of every generation.
func (r *running) checkCap(t *testing.T, up *held, open []*heldStream, setCap func(int)) {
	t.Helper()
	setCap(len(open) + 1)
	refused := func(when string) {
		t.Helper()
		res, body := do(t, r.request(t, http.MethodGet, "/v1/models", ""))
		if res.StatusCode != http.StatusTooManyRequests || errorCode(body) != "concurrency_exceeded" {
			t.Errorf("%s: got %d %s, want 429", when, res.StatusCode, body)
		}
	}
	if got := r.metric(t, "relay_limit_in_flight", "rule", "max_in_flight"); got != float64(len(open)) {
		t.Errorf("%g in flight, want the %d streams", got, len(open))
	}
	open = append(open, up.open(t, r))
	refused("at the cap")
	open[0].finish(t) // of the first generation
	open = append(open[1:], up.open(t, r))
	refused("at the cap again")
	for _, s := range open {
		s.finish(t)
	}
	if got := r.metric(t, "relay_limit_in_flight", "rule", "max_in_flight"); got != 0 {
		t.Errorf("%g in flight after the last stream, want 0", got)
	}
}

// counters returns all that never falls: counters, and how much histograms
// have counted, by name and labels.
func (r *running) counters(t testing.TB) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	r.each(t, func(series string, kind dto.MetricType, m *dto.Metric) {
		switch kind {
		case dto.MetricType_COUNTER:
			all[series] = m.GetCounter().GetValue()
		case dto.MetricType_HISTOGRAM:
			all[series] = float64(m.GetHistogram().GetSampleCount())
		}
	})
	return all
}

// each calls f with every series of every metric.
func (r *running) each(t testing.TB, f func(series string, kind dto.MetricType, m *dto.Metric)) {
	t.Helper()
	families, err := r.Gather().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			series := family.GetName()
			for _, l := range m.GetLabel() {
				series += " " + l.GetName() + "=" + strconv.Quote(l.GetValue())
			}
			f(series, family.GetType(), m)
		}
	}
}
