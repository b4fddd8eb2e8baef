package server

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/internal/redistest"
)

// benchUpstream answers every request with the same 1 KiB.
func benchUpstream(b *testing.B) string {
	b.Helper()
	body := `{"id":"x","object":"chat.completion","choices":[{"message":{"content":"` + strings.Repeat("baa ", 240) + `"}}]}`
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	b.Cleanup(up.Close)
	return up.URL
}

// BenchmarkRelay measures one unary request of 1 KiB each way on loopback: to
// the upstream itself, through the standard library's bare reverse proxy, and
// through the relay with every plugin on, also with no rule of limit, with five,
// and with these in Redis. Client, proxy and upstream share one process, so the
// differences count, not the numbers.
func BenchmarkRelay(b *testing.B) {
	up := benchUpstream(b)
	b.Run("direct", func(b *testing.B) { askMany(b, up+"/v1/chat/completions") })
	b.Run("bare", func(b *testing.B) {
		to, _ := url.Parse(up)
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = 256
		proxy := httptest.NewServer(&httputil.ReverseProxy{
			Transport: transport, Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to) },
		})
		defer proxy.Close()
		askMany(b, proxy.URL+"/v1/chat/completions")
	})
	b.Run("relay", func(b *testing.B) {
		address, stop := benchRelay(b, up, oneRule, "")
		defer stop()
		askMany(b, "http://"+address+"/v1/chat/completions")
	})
	b.Run("limits=0", func(b *testing.B) {
		address, stop := benchRelay(b, up, nil, "")
		defer stop()
		askMany(b, "http://"+address+"/v1/chat/completions")
	})
	b.Run("limits=5", func(b *testing.B) {
		address, stop := benchRelay(b, up, fiveRules, "")
		defer stop()
		askMany(b, "http://"+address+"/v1/chat/completions")
	})
	b.Run("limits=5 in Redis", func(b *testing.B) {
		address, stop := benchRelay(b, up, fiveRules, redistest.Start(b).Addr())
		defer stop()
		askMany(b, "http://"+address+"/v1/chat/completions")
	})
}

// oneRule is a rate of requests per client.
var oneRule = map[string]any{
	"fair": map[string]any{"per": "client", "requests": 10_000_000, "period": "1h"},
}

// fiveRules are of every kind, with seven limits, none of which refuses.
var fiveRules = map[string]any{
	"all":    map[string]any{"per": "global", "requests": 10_000_000, "period": "1h"},
	"each":   map[string]any{"per": "client", "requests": 10_000_000, "period": "1h", "in_flight": 1000},
	"tokens": map[string]any{"per": "client", "tokens": map[string]any{"limit": 1_000_000_000}, "output_tokens": map[string]any{"limit": 1_000_000_000}},
	"model":  map[string]any{"per": "client+model", "in_flight": 1000},
	"money":  map[string]any{"per": "client", "budget": map[string]any{"usd": 1_000_000}},
}

// benchRelay runs a relay with every plugin on, with the rules, in the Redis at
// the address if there is one, and returns its address.
func benchRelay(b *testing.B, up string, rules map[string]any, redis string) (address string, stop func()) {
	b.Helper()
	addresses := []any{}
	if redis != "" {
		addresses = append(addresses, redis)
	}
	s, err := New(Options{Plugins: builtin(), Log: io.Discard, Base: map[string]any{
		"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "drain_delay": "0s",
		"upstreams": map[string]any{"up": map[string]any{"base_url": up + "/v1"}},
		"redis":     map[string]any{"addresses": addresses},
		"prices":    map[string]any{"demo": map[string]any{"input": 1, "output": 2}},
		"plugins": map[string]any{
			"auth": map[string]any{"clients": map[string]any{"tester": map[string]any{
				"keys": map[string]any{"one": map[string]any{"sha256": credential.Hash(clientKey)}},
			}}},
			"limit": map[string]any{"max_in_flight": 0, "rules": rules},
		},
	}})
	if err != nil {
		b.Fatal(err)
	}
	api, _, err := s.Listen()
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return api.String(), func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}

// askMany asks one request after the other over one connection.
func askMany(b *testing.B, url string) {
	b.Helper()
	client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	body := `{"model":"demo","messages":[{"role":"user","content":"` + strings.Repeat("hello ", 160) + `"}]}`
	b.ReportAllocs()
	for b.Loop() {
		req, _ := http.NewRequestWithContext(b.Context(), http.MethodPost, url, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+clientKey)
		req.Header.Set("Content-Type", "application/json")
		res, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
			b.Fatal(res.Status, err)
		}
		_ = res.Body.Close()
	}
}

// BenchmarkStart measures from nothing to the first answer of /ready, and the
// stop.
func BenchmarkStart(b *testing.B) {
	up := benchUpstream(b)
	for b.Loop() {
		address, stop := benchRelay(b, up, oneRule, "")
		res, err := http.Get("http://" + address + "/ready")
		if err != nil {
			b.Fatal(err)
		}
		_ = res.Body.Close()
		stop()
	}
}
