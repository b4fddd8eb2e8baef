package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/breaker"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// onePool returns a pool of one upstream that is asked by client, and that one
// failure in a row takes out.
func onePool(t *testing.T, client plugintest.RoundTripFunc) *Pool {
	t.Helper()
	h := HealthDefaults()
	h.Failures, h.ErrorPercent = 1, 0
	p, err := New(Config{Upstreams: map[string]Settings{"one": settings("http://x/v1", nil)}, Health: h}, plugintest.Env(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	p.members[0].client = client
	return p
}

// says returns an upstream that answers with the status and headers.
func says(status int, header ...string) plugintest.RoundTripFunc {
	return func(req *http.Request) (*http.Response, error) {
		res := plugintest.Response(req, status, "{}")
		for i := 0; i < len(header); i += 2 {
			res.Header.Set(header[i], header[i+1])
		}
		return res, nil
	}
}

func TestWhatIsIllHealth(t *testing.T) {
	again := &plugins.Error{Status: 504, Code: "slow", Again: true}
	tests := []struct {
		name   string
		client plugintest.RoundTripFunc
		out    time.Duration // 0: healthy
	}{
		{"200", says(200), 0},
		{"400", says(400), 0},
		{"401", says(401), 0},
		{"402", says(402), 0},
		{"403", says(403), 0},
		{"404", says(404), 0},
		{"422", says(422, "Retry-After", "9"), 0},
		{"408", says(408), 10 * time.Second},
		{"429", says(429), 10 * time.Second},
		{"429 with a wait", says(429, "Retry-After", "3"), 3 * time.Second},
		{"429 with a wait in milliseconds", says(429, "Retry-After-Ms", "1500"), 1500 * time.Millisecond},
		{"429 with a wait beyond all bounds", says(429, "Retry-After", "86400"), 5 * time.Minute},
		{"500", says(500), 10 * time.Second},
		{"501", says(501), 0},
		{"503 with a wait until a date", says(503, "Retry-After", "Sat, 01 Jan 2000 00:00:07 GMT"), 7 * time.Second},
		{"529 with a wait", says(529, "Retry-After", "4"), 4 * time.Second},
		{"no answer", func(*http.Request) (*http.Response, error) { return nil, errors.New("reset") }, 10 * time.Second},
		{"the pool's own error", func(*http.Request) (*http.Response, error) { return nil, again }, 10 * time.Second},
		{"somebody's last word", func(*http.Request) (*http.Response, error) { return nil, &plugins.Error{Status: 413} }, 0},
		{"a refused key that leaves another", func(req *http.Request) (*http.Response, error) {
			plugins.AttemptOf(req.Context()).SetFault(plugins.FaultKey)
			return says(429)(req)
		}, 0},
		{"an error as the first event", func(req *http.Request) (*http.Response, error) {
			plugins.AttemptOf(req.Context()).SetFault(plugins.FaultEvent)
			return says(200)(req)
		}, 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // it begins with the year 2000
				p := onePool(t, tt.client)
				req := plugintest.Request(t, "{}")
				req = req.WithContext(plugins.WithAttempt(req.Context(), &plugins.Attempt{}))
				if res, err := p.RoundTrip(req); err == nil {
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
				}
				if _, left := p.members[0].state.breaker.Look(p.now()); left != tt.out {
					t.Errorf("out for %s, want %s", left, tt.out)
				}
				if n := p.members[0].state.inFlight.Load(); n != 0 {
					t.Errorf("%d in flight, want none", n)
				}
			})
		})
	}
}

func TestAClientsFaultIsNotIllHealth(t *testing.T) {
	reads := func(req *http.Request) (*http.Response, error) {
		_, err := io.ReadAll(req.Body)
		return nil, err
	}
	waits := func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	p := onePool(t, reads)
	req := plugintest.Request(t, "{}")
	broken := errors.New("the client's line broke")
	req.Body, req.GetBody = io.NopCloser(iotest.ErrReader(broken)), func() (io.ReadCloser, error) { return nil, broken }
	if _, err := p.RoundTrip(req); !errors.Is(err, broken) {
		t.Errorf("err = %v, want %v", err, broken)
	}
	p.members[0].client = plugintest.RoundTripFunc(waits)
	ctx, leave := context.WithCancel(t.Context())
	time.AfterFunc(0, leave)
	if _, err := p.RoundTrip(plugintest.Request(t, "{}").WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want %v", err, context.Canceled)
	}
	if s := p.Show()[0]; s.State != "healthy" || s.Failures != 0 || s.InFlight != 0 {
		t.Errorf("got %+v, want it healthy and nothing in flight", s)
	}
}

func TestNothingWasSent(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	plain := httptest.NewServer(http.NotFoundHandler())
	hangsUp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(func() { secure.Close(); plain.Close(); hangsUp.Close() })
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	tests := []struct {
		name, url string
		want      bool
	}{
		{"refused", closed.URL, true},
		{"a name that does not exist", "http://upstream.invalid", true},
		{"a certificate of nobody known", secure.URL, true},
		{"no TLS at all", strings.Replace(plain.URL, "http:", "https:", 1), true},
		{"broken off", hangsUp.URL, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPool(t, nil, map[string]Settings{"one": settings(tt.url, nil)})
			attempt := &plugins.Attempt{}
			req := plugintest.Request(t, "{}")
			res, err := p.RoundTrip(req.WithContext(plugins.WithAttempt(req.Context(), attempt)))
			if err == nil {
				_ = res.Body.Close()
				t.Fatal("there was an answer")
			}
			if attempt.Unsent() != tt.want {
				t.Errorf("%v: unsent %t, want %t", err, attempt.Unsent(), tt.want)
			}
		})
	}
	for _, err := range []error{
		x509.HostnameError{Certificate: &x509.Certificate{}},
		x509.CertificateInvalidError{},
		&tls.CertificateVerificationError{},
		errors.New("net/http: TLS handshake timeout"),
		&net.OpError{Op: "proxyconnect", Err: io.EOF},
	} {
		if !reachedNobody(err) {
			t.Errorf("%T: counts as sent", err)
		}
	}
}

func TestAnEjectionIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onePool(t, says(503))
		ask := func() {
			res, err := p.RoundTrip(plugintest.Request(t, "{}"))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		log := logged(p)
		want := func(lines ...string) {
			t.Helper()
			got := log.String()
			log.Reset()
			if strings.Count(got, "\n") != len(lines) {
				t.Errorf("logged %q, want %q", got, lines)
			}
			for _, line := range lines {
				if !strings.Contains(got, line) {
					t.Errorf("logged %q, want %q", got, line)
				}
			}
		}
		ask()
		want(`level=WARN msg="an upstream is taken out" upstream=one reason=failures out_for=10s err="status 503"`)
		ask()
		want()
		time.Sleep(10 * time.Second)
		ask() // the trial
		want()
		time.Sleep(20 * time.Second)
		p.members[0].client = says(200)
		ask()
		want(`level=INFO msg="an upstream is back" upstream=one reason=trial out_for=30s`)
		if state, _ := p.members[0].state.breaker.Look(p.now()); state != breaker.Healthy {
			t.Errorf("state %d", state)
		}
	})
}
