package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/demo"
)

const (
	unary  = `{"model":"demo","messages":[{"role":"user","content":"hello"}]}`
	stream = `{"model":"demo","stream":true,"messages":[{"role":"user","content":"hello"}]}`
)

// A phase is a moment in which a client leaves.
type phase struct {
	name, path, body string
	plan             http.Header
	come             func(demo.Record) bool // how far the upstream is by then
	read             int                    // bytes that the client has by then
	want             told
}

func phases() []phase {
	long := strings.Repeat("0123456789abcdef", 8<<10)
	return []phase{
		{
			name: "before the first byte of an answer", path: "/v1/chat/completions", body: unary,
			plan: http.Header{"X-Demo-Latency": {"1h"}},
			come: func(r demo.Record) bool { return r.State == demo.Answering },
			want: told{499, "client_gone", 1},
		},
		{
			name: "before the first event of a stream", path: "/v1/chat/completions", body: stream,
			plan: http.Header{"X-Demo-Latency": {"1h"}},
			come: func(r demo.Record) bool { return r.State == demo.Answering },
			want: told{499, "client_gone", 1},
		},
		{
			name: "while a whole answer is coming", path: "/v1/echo", body: long,
			plan: http.Header{"X-Demo-Stall": {"bytes=65536"}},
			come: func(r demo.Record) bool { return r.BytesOut == 65536 },
			read: 1 << 10,
			want: told{200, "client_gone", 1},
		},
		{
			name: "between two events of a stream", path: "/v1/chat/completions", body: stream,
			plan: http.Header{"X-Demo-Stall": {"events=2"}},
			come: func(r demo.Record) bool { return r.Events == 2 },
			read: 100,
			want: told{200, "client_gone", 1},
		},
		{
			name: "while events are coming", path: "/v1/chat/completions", body: stream,
			plan: http.Header{"X-Demo-Tokens": {"20000"}, "X-Demo-Pace": {"1ms"}}, // 20 seconds
			come: func(r demo.Record) bool { return r.Status == 200 },
			read: 100,
			want: told{200, "client_gone", 1},
		},
	}
}

func TestAClientThatLeavesEndsTheUpstreamsWork(t *testing.T) {
	for _, protocol := range protocols() {
		for _, p := range phases() {
			t.Run(protocol+" "+p.name, func(t *testing.T) {
				tidy(t)
				r := start(t, whole)
				c := r.call(t, speaks(t, protocol), p.path, strings.NewReader(p.body), p.plan)
				r.await(t, p.come)
				if p.read > 0 {
					c.read(t, p.read)
				}
				if c.res != nil && c.res.Proto != protocol {
					t.Errorf("the client speaks %s, want %s", c.res.Proto, protocol)
				}
				r.holds(t, 1)
				c.leave()
				if rec := r.await(t, ended); rec.State != demo.Cancelled {
					t.Errorf("at the upstream the request is %q, want cancelled", rec.State)
				}
				if diff := cmp.Diff(r.line(t), p.want); diff != "" {
					t.Errorf("access line (-got +want):\n%s", diff)
				}
			})
		}
	}
}
