package cache

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/canon"
	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// chat returns a request of about 16 KiB, as the SDKs write it.
func chat() string {
	var b strings.Builder
	b.WriteString(`{"model":"gpt-4.1-mini","temperature":0,"messages":[`)
	for range 20 {
		b.WriteString(`{"role":"user","content":"` + strings.Repeat(`Tell me \"more\" of the sheep.\n`, 25) + `"},`)
	}
	b.WriteString(`{"role":"user","content":"Thanks."}]}`)
	return b.String()
}

// BenchmarkHit is the whole price of a hit.
func BenchmarkHit(b *testing.B) {
	for name, body := range map[string]string{"small": `{"temperature":0,"messages":[]}`, "16KiB": chat()} {
		b.Run(name, func(b *testing.B) {
			link := plugintest.Link[Settings](b, Plugin, plugintest.Env(b, nil), nil)
			rt := link.Fetch(plugintest.Answers(http.StatusOK))
			req := plugintest.Request(b, body)
			drain(b, rt, req)
			b.ReportAllocs()
			for b.Loop() {
				drain(b, rt, req)
			}
			if got := plugins.CallOf(req.Context()).Cache(); got != "HIT" {
				b.Errorf("the cache did %s, want HIT", got)
			}
		})
	}
}

func drain(b *testing.B, rt http.RoundTripper, req *http.Request) {
	b.Helper()
	res, err := rt.RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	var buf [512]byte
	for {
		if _, err := res.Body.Read(buf[:]); err != nil {
			break
		}
	}
	_ = res.Body.Close()
}

// BenchmarkQuestion is the price of reading a request of 16 KiB and of its key.
// BenchmarkValidAndHash is what to compare it with: it must not cost more than
// twice that.
func BenchmarkQuestion(b *testing.B) {
	req := plugintest.Request(b, chat())
	r := newRules(Defaults())
	call := plugins.CallOf(req.Context())
	b.ReportAllocs()
	for b.Loop() {
		if _, why := r.question(req, call); why != "" {
			b.Fatal(why)
		}
	}
}

// hostile returns a request of 1 MB that is as hard to put in order as can be.
func hostile() string {
	return `{"messages":[` + strings.Repeat(`{"b":1,"a":1},`, canon.MaxMembers/2-1) +
		`"` + strings.Repeat("x", 1_000_000-canon.MaxMembers*7) + `"]}`
}

// TestSampledCostsLittle shows that a request that is passed on because it is
// sampled takes little more than a copy of its body (the race detector takes
// another): ten times as much is what its canonical form takes.
func TestSampledCostsLittle(t *testing.T) {
	body := hostile()
	req := plugintest.Request(t, body)
	r := newRules(Defaults())
	call := plugins.CallOf(req.Context())
	call.Ask() // which the server pays
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, why := r.question(req, call)
	runtime.ReadMemStats(&after)
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(3*len(body)); why != whySampled || got > most {
		t.Errorf("%q took %d bytes, want %q and at most %d", why, got, whySampled, most)
	}
}

// BenchmarkSampled is the price of passing on what is drawn at random, as most
// requests are: of 16 KiB, and of a hostile body of 1 MB.
func BenchmarkSampled(b *testing.B) {
	for name, body := range map[string]string{"16KiB": strings.Replace(chat(), `"temperature":0`, `"temperature":1`, 1), "hostile": hostile()} {
		b.Run(name, func(b *testing.B) {
			req := plugintest.Request(b, body)
			r := newRules(Defaults())
			call := plugins.CallOf(req.Context())
			b.ReportAllocs()
			for b.Loop() {
				if _, why := r.question(req, call); why != whySampled {
					b.Fatal(why)
				}
			}
		})
	}
}

func BenchmarkValidAndHash(b *testing.B) {
	text := []byte(chat())
	b.ReportAllocs()
	for b.Loop() {
		if !json.Valid(text) {
			b.Fatal("not valid")
		}
		_ = sha256.Sum256(text)
	}
}
