package demo

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestABadHeaderIsNamed(t *testing.T) {
	tests := []struct{ name, header, want string }{
		{"a status that is no number", "X-Demo-Status: ok", `X-Demo-Status: "ok" is not a number from 200 to 599`},
		{"a status of the wrong kind", "X-Demo-Status: 101", `X-Demo-Status: "101" is not a number from 200 to 599`},
		{"a wait without a unit", "X-Demo-Latency: 20", `X-Demo-Latency: "20" is not a duration such as 20ms`},
		{"a pace of nothing", "X-Demo-Pace: 0/s", `X-Demo-Pace: "0" is not a number from 1 to 1000000`},
		{"a unit that is none", "X-Demo-Break: words=3", `X-Demo-Break: "words" is none of bytes, events`},
		{"two places to break", "X-Demo-Break: bytes=1,2", `X-Demo-Break: "bytes=1,2" is not one number, or at= with rising ones`},
		{"cuts that do not rise", "X-Demo-Packets: at=3,3", `X-Demo-Packets: "at=3,3" is not one number, or at= with rising ones`},
		{"packets of nothing", "X-Demo-Packets: bytes=0", `X-Demo-Packets: "0" is not a number from 1 to 268435456`},
		{"a failure without a name", "X-Demo-Fail: 2:503", `X-Demo-Fail: "2:503" is not name=times:status or name=times:reset`},
		{"a failure that is none", "X-Demo-Fail: a=2:200", `X-Demo-Fail: "a=2:200" is not name=times:status or name=times:reset`},
		{"an upgrade on the way", "X-Demo-Early: 101", `X-Demo-Early: "101" is not a number from 102 to 199`},
		{"a header without a value", "X-Demo-Header: Set-Cookie", `X-Demo-Header: "Set-Cookie" is not a header such as Name: value`},
		{"a header of two words", "X-Demo-Trailer: a b: c", `X-Demo-Trailer: "a b: c" is not a header such as Name: value`},
		{"an encoding that is unknown", "X-Demo-Encoding: zstd", `X-Demo-Encoding: "zstd" is none of gzip, br, bad-gzip`},
		{"a truth that is none", "X-Demo-Empty: perhaps", `X-Demo-Empty: "perhaps" is neither true nor false`},
		{"a reset that is none", "X-Demo-Reset: trailers", `X-Demo-Reset: "trailers" is not true, false or headers`},
		{"a wait for the first token without a unit", "X-Demo-First-Token: 3", `X-Demo-First-Token: "3" is not a duration such as 20ms`},
		{"an unknown header", "X-Demo-Statsu: 500", `X-Demo-Statsu: there is no such header`},
	}
	_, url := start(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := do(t, request(t, url+"/chat/completions", chatBody, tt.header))
			body, _ := read(t, res)
			want := `{"error":{"message":` + string(marshal(tt.want)) + `,"type":"invalid_request_error","param":null,"code":"bad_demo_header"}}`
			if res.StatusCode != 400 || body != want {
				t.Errorf("answer = %d %s, want %s", res.StatusCode, body, want)
			}
		})
	}
}

func TestEveryBadHeaderIsNamedAtOnce(t *testing.T) {
	_, err := parsePlan(http.Header{
		"X-Demo-Stall":   {"events=1"},
		"X-Demo-Break":   {"events=1"},
		"X-Demo-Latency": {"1", "2"},
		"X-Demo-Pace":    {"-1s"},
	})
	want := []string{
		`X-Demo-Latency: "1" is not a duration such as 20ms`,
		`X-Demo-Latency: "2" is not a duration such as 20ms`,
		`X-Demo-Pace: "-1s" is not a duration such as 20ms`,
		`X-Demo-Break: X-Demo-Stall stands beside it`,
	}
	if diff := cmp.Diff(strings.Split(err.Error(), "\n"), want); diff != "" {
		t.Errorf("problems (-got +want):\n%s", diff)
	}
}

func TestTheTableOfHeadersIsWhole(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(doc)) {
		if name, found := strings.CutPrefix(line, "//\tX-Demo-"); found {
			got = append(got, prefix+strings.Fields(name)[0])
		}
	}
	slices.Sort(got)
	var p plan
	if diff := cmp.Diff(got, slices.Sorted(maps.Keys(p.settings()))); diff != "" {
		t.Errorf("headers (-documented +known):\n%s", diff)
	}
}

func TestAScriptStandsInForHeaders(t *testing.T) {
	s, url := start(t, Options{})
	s.Script(func(r *http.Request) http.Header {
		if strings.HasSuffix(r.URL.Path, "/models") {
			return http.Header{"x-demo-status": {"503"}}
		}
		return nil
	})
	var got []int
	ask := func(path string) {
		got = append(got, do(t, request(t, url+path, "", "X-Demo-Status: 500")).StatusCode)
	}
	ask("/models")
	ask("/echo")
	s.Script(nil)
	ask("/models")
	if diff := cmp.Diff(got, []int{503, 500, 500}); diff != "" {
		t.Errorf("statuses (-got +want):\n%s", diff)
	}
}
