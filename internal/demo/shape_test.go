package demo

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
)

// A recorder notes what goes out in one flush.
type recorder struct {
	*httptest.ResponseRecorder
	packets []string
	sent    int
}

func (r *recorder) Flush() {
	if body := r.Body.String(); len(body) > r.sent {
		r.packets = append(r.packets, body[r.sent:])
		r.sent = len(body)
	}
}

// serve answers a request without a network. A panic of the server, by which
// it breaks off, ends here.
func serve(t *testing.T, s *Server, body string, headers ...string) (w *recorder) {
	t.Helper()
	w = &recorder{ResponseRecorder: httptest.NewRecorder()}
	req := request(t, "http://demo/v1/chat/completions", body, headers...)
	defer func() {
		if v := recover(); v != nil && v != any(http.ErrAbortHandler) {
			panic(v)
		}
	}()
	s.ServeHTTP(w, req)
	return w
}

// fresh returns a server whose next answer has the ID 1.
func fresh() *Server { return New(Options{Now: epoch}) }

func TestACutAtAnyByteGivesTheSameBytes(t *testing.T) {
	want := serve(t, fresh(), streamBody).Body.String()
	for at := 1; at < len(want); at++ {
		w := serve(t, fresh(), streamBody, "X-Demo-Packets: at="+strconv.Itoa(at))
		if got := w.Body.String(); got != want {
			t.Fatalf("cut at %d: body = %q, want %q", at, got, want)
		}
		if diff := cmp.Diff(w.packets, []string{want[:at], want[at:]}); diff != "" {
			t.Fatalf("cut at %d: packets (-got +want):\n%s", at, diff)
		}
	}
}

func TestPackets(t *testing.T) {
	wire := serve(t, fresh(), streamBody).Body.String()
	events := strings.SplitAfter(strings.TrimSuffix(wire, "\n\n"), "\n\n")
	events[len(events)-1] += "\n\n"
	tests := []struct {
		name, header string
		want         []string
	}{
		{"an event each", "X-Demo-Newline: lf", events},
		{"three events each", "X-Demo-Packets: events=3", []string{strings.Join(events[:3], ""), strings.Join(events[3:6], ""), strings.Join(events[6:], "")}},
		{"as many events as there are", "X-Demo-Packets: events=4", []string{strings.Join(events[:4], ""), strings.Join(events[4:], "")}},
		{"so many bytes each", "X-Demo-Packets: bytes=1000", []string{wire[:1000], wire[1000:]}},
		{"cut at two places", "X-Demo-Packets: at=3,10", []string{wire[:3], wire[3:10], wire[10:]}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(serve(t, fresh(), streamBody, tt.header).packets, tt.want); diff != "" {
				t.Errorf("packets (-got +want):\n%s", diff)
			}
		})
	}
}

func TestLineEndsAndComments(t *testing.T) {
	plain := serve(t, fresh(), streamBody).Body.String()
	comments := ": ping\n\n" + strings.ReplaceAll(strings.TrimSuffix(plain, "\n\n"), "\n\n", "\n\n: ping\n\n") + "\n\n"
	tests := []struct {
		name    string
		headers []string
		want    string
	}{
		{"CRLF", []string{"X-Demo-Newline: crlf"}, strings.ReplaceAll(plain, "\n", "\r\n")},
		{"CR", []string{"X-Demo-Newline: cr"}, strings.ReplaceAll(plain, "\n", "\r")},
		{"comments", []string{"X-Demo-Comment: ping"}, comments},
		{"both", []string{"X-Demo-Comment: ping", "X-Demo-Newline: crlf"}, strings.ReplaceAll(comments, "\n", "\r\n")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(serve(t, fresh(), streamBody, tt.headers...).Body.String(), tt.want); diff != "" {
				t.Errorf("body (-got +want):\n%s", diff)
			}
		})
	}
}

func TestEncodings(t *testing.T) {
	unzip := func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	unbrotli := func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil }
	tests := []struct {
		name, header, want string
		decode             func(io.Reader) (io.Reader, error)
	}{
		{"gzip", "X-Demo-Encoding: gzip", "gzip", unzip},
		{"brotli", "X-Demo-Encoding: br", "br", unbrotli},
		{"bad gzip", "X-Demo-Encoding: bad-gzip", "gzip", func(r io.Reader) (io.Reader, error) { return r, nil }},
	}
	for _, tt := range tests {
		for _, body := range []string{chatBody, streamBody} {
			t.Run(tt.name, func(t *testing.T) {
				want := serve(t, fresh(), body).Body.String()
				w := serve(t, fresh(), body, tt.header)
				plain, err := tt.decode(w.Body)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(plain)
				if string(got) != want || err != nil || w.Header().Get("Content-Encoding") != tt.want {
					t.Errorf("%s of %q, %v, want %q", w.Header().Get("Content-Encoding"), got, err, want)
				}
			})
		}
	}
}

func TestEachEncodedEventCanBeReadWhenItComes(t *testing.T) {
	w := serve(t, fresh(), streamBody, "X-Demo-Encoding: gzip", "X-Demo-Break: events=2")
	want := serve(t, fresh(), streamBody).packets
	r, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(r) // ends without the end of gzip
	if string(got) != want[0]+want[1] {
		t.Errorf("decoded = %q, want two events", got)
	}
}

func TestTimes(t *testing.T) {
	tests := []struct {
		name, body string
		headers    []string
		options    Options
		want       time.Duration
	}{
		{"none", streamBody, nil, Options{}, 0},
		{"latency", chatBody, []string{"X-Demo-Latency: 20ms"}, Options{}, 20 * time.Millisecond},
		{"pace between eight events", streamBody, []string{"X-Demo-Pace: 10ms"}, Options{}, 70 * time.Millisecond},
		{"events a second", streamBody, []string{"X-Demo-Pace: 50/s"}, Options{}, 140 * time.Millisecond},
		{"pace of the server", streamBody, nil, Options{Pace: time.Second}, 7 * time.Second},
		{"pace of the server is for streams", chatBody, []string{"X-Demo-Packets: bytes=1"}, Options{Pace: time.Second}, 0},
		{"pace of the request goes first", streamBody, []string{"X-Demo-Pace: 0s"}, Options{Pace: time.Second}, 0},
		{"more tokens", streamBody, []string{"X-Demo-Pace: 1s", "X-Demo-Tokens: 20"}, Options{}, 22 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				serve(t, New(tt.options), tt.body, tt.headers...)
				if got := time.Since(begin); got != tt.want {
					t.Errorf("time = %s, want %s", got, tt.want)
				}
			})
		})
	}
}

func FuzzPackets(f *testing.F) {
	for _, seed := range []string{"at=3,10", "bytes=7", "events=2", "at=0", "bytes=0", "at=5,5", "=", ""} {
		f.Add(seed, "bytes=12")
		f.Add(seed, "events=1")
	}
	f.Fuzz(func(t *testing.T, packets, stop string) {
		p, err := parsePlan(http.Header{"X-Demo-Packets": {packets}, "X-Demo-Break": {stop}})
		if err != nil {
			return
		}
		a := events([][]byte{[]byte("data: a\n\n"), []byte("data: b\n\n"), []byte("data: c\n\n")})
		w := p.shape(a)
		if !slices.IsSorted(w.cuts) || w.cuts[0] < 0 || w.cuts[len(w.cuts)-1] > len(w.bytes) {
			t.Errorf("packets %q, break %q: cuts %v of %d bytes", packets, stop, w.cuts, len(w.bytes))
		}
	})
}
