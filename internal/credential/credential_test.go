package credential_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/credential"
)

// header makes a header of names and values in turn.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestFind(t *testing.T) {
	tests := []struct {
		name   string
		header http.Header
		query  string
		want   string
		err    error
	}{
		{name: "nothing", header: header(), err: credential.ErrMissing},
		{name: "bearer", header: header("Authorization", "Bearer k"), want: "k"},
		{name: "schemes have no case", header: header("authorization", "bEARER k"), want: "k"},
		{name: "white space around the token", header: header("Authorization", " Bearer \t k "), want: "k"},
		{name: "bearer without a token", header: header("Authorization", "Bearer "), err: credential.ErrMissing},
		{name: "another scheme", header: header("Authorization", "Basic azo="), err: credential.ErrMissing},
		{name: "another scheme beside a key", header: header("Authorization", "Basic azo=", "x-api-key", "k"), want: "k"},
		{name: "a key without a scheme", header: header("Authorization", "k"), err: credential.ErrMissing},
		{name: "x-api-key", header: header("x-api-key", "k"), want: "k"},
		{name: "api-key", header: header("api-key", "k"), want: "k"},
		{name: "x-goog-api-key", header: header("x-goog-api-key", "k"), want: "k"},
		{name: "query", query: "a=1&key=k&b=2", want: "k"},
		{name: "query with an escaped name", query: "%6bey=k", want: "k"},
		{name: "query with an escaped value", query: "key=a%2Bb", want: "a+b"},
		{name: "query with an unreadable value", query: "key=%zz", want: "%zz"},
		{name: "query with an empty value", query: "key=&key", err: credential.ErrMissing},
		{name: "query with semicolons", query: "a=1;key=k;b=2", want: "k"},
		{name: "an escaped semicolon separates nothing", query: "a=1%3Bkey=k", err: credential.ErrMissing},
		{name: "names of parameters have case", query: "Key=k&xkey=k&keys=k", err: credential.ErrMissing},
		{name: "subprotocol", header: header("Sec-WebSocket-Protocol", "realtime, openai-insecure-api-key.k, x"), want: "k"},
		{name: "subprotocol on a second line", header: header("Sec-WebSocket-Protocol", "realtime",
			"Sec-WebSocket-Protocol", "openai-insecure-api-key.k"), want: "k"},
		{name: "the same key twice", header: header("Authorization", "Bearer k", "api-key", "k"), query: "key=k", want: "k"},
		{name: "two headers that differ", header: header("Authorization", "Bearer k", "api-key", "j"), err: credential.ErrConflict},
		{name: "two lines that differ", header: header("api-key", "k", "api-key", "j"), err: credential.ErrConflict},
		{name: "two bearers that differ", header: header("Authorization", "Bearer k", "Authorization", "Bearer j"), err: credential.ErrConflict},
		{name: "header and query that differ", header: header("x-api-key", "k"), query: "key=j", err: credential.ErrConflict},
		{name: "two parameters that differ", query: "key=k&k%65y=j", err: credential.ErrConflict},
		{name: "two parameters behind a semicolon that differ", query: "key=k;key=j", err: credential.ErrConflict},
		{name: "two subprotocols that differ", header: header("Sec-WebSocket-Protocol",
			"openai-insecure-api-key.k,openai-insecure-api-key.j"), err: credential.ErrConflict},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := credential.Find(tt.header, tt.query)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("Find = %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestStrip(t *testing.T) {
	tests := []struct {
		name      string
		header    http.Header
		query     string
		want      http.Header
		wantQuery string
	}{
		{
			name: "every header that is the relay's",
			header: header("Authorization", "Basic x", "x-api-key", "", "api-key", "k", "x-goog-api-key", "k", "Cookie", "a=b",
				"Proxy-Authorization", "Basic x", "OpenAI-Organization", "o", "OpenAI-Project", "p", "OpenAI-Beta", "b"),
			want: header("OpenAI-Beta", "b"),
		},
		{
			name: "some subprotocols",
			header: header("Sec-WebSocket-Protocol", "realtime,openai-insecure-api-key.k, OPENAI-organization.o ,b",
				"Sec-WebSocket-Protocol", "openai-project.p",
				"Sec-WebSocket-Protocol", "c ,d"),
			want: header("Sec-WebSocket-Protocol", "realtime, b", "Sec-WebSocket-Protocol", "c ,d"),
		},
		{name: "all subprotocols", header: header("Sec-WebSocket-Protocol", "openai-insecure-api-key.k"), want: header()},
		{name: "the only parameter", header: header(), want: header(), query: "key=k"},
		{name: "first parameter", header: header(), want: header(), query: "key=k&a=1", wantQuery: "a=1"},
		{name: "last parameter", header: header(), want: header(), query: "a=1&key", wantQuery: "a=1"},
		{name: "escaped and repeated", header: header(), want: header(), query: "%6b%65y=k&a=1&key=j&b", wantQuery: "a=1&b"},
		{name: "odd bytes stay", header: header(), want: header(), query: "&a=%zz&&key=k&b;c=+&=&", wantQuery: "&a=%zz&&b;c=+&=&"},
		{name: "behind a semicolon", header: header(), want: header(), query: "a=1;key=k", wantQuery: "a=1"},
		{name: "before a semicolon", header: header(), want: header(), query: "key=k;a=1", wantQuery: "a=1"},
		{name: "between semicolons", header: header(), want: header(), query: "a=1;k%65y=k;b", wantQuery: "a=1;b"},
		{name: "between & and a semicolon", header: header(), want: header(), query: "a=1&key=k;b=2", wantQuery: "a=1&b=2"},
		{name: "between a semicolon and &", header: header(), want: header(), query: "a=1;key=k&b=2", wantQuery: "a=1&b=2"},
		{name: "no key behind a semicolon", header: header(), want: header(), query: "a;;b=%3Bkey=k;", wantQuery: "a;;b=%3Bkey=k;"},
		{name: "nothing to strip", header: header("A", "b"), want: header("A", "b"), query: "a=%2f&&b", wantQuery: "a=%2f&&b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			query := credential.Strip(tt.header, tt.query)
			if query != tt.wantQuery {
				t.Errorf("query = %q, want %q", query, tt.wantQuery)
			}
			if diff := cmp.Diff(tt.want, tt.header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStripLeavesSharedSlicesAlone(t *testing.T) {
	in := header("Sec-WebSocket-Protocol", "openai-insecure-api-key.k", "Sec-WebSocket-Protocol", "a")
	out := http.Header{"Sec-Websocket-Protocol": in["Sec-Websocket-Protocol"]}
	credential.Strip(out, "")
	if diff := cmp.Diff([]string{"openai-insecure-api-key.k", "a"}, in["Sec-Websocket-Protocol"]); diff != "" {
		t.Errorf("incoming header (-want +got):\n%s", diff)
	}
}
