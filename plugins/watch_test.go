package plugins_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
)

// pieces is a body that arrives in pieces, and then fails with err.
type pieces struct {
	left   []string
	err    error
	closed int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, p.err
	}
	n := copy(b, p.left[0])
	p.left = p.left[1:]
	return n, nil
}

func (p *pieces) Close() error { p.closed++; return io.ErrClosedPipe }

// heard is what the two functions of a Watch have heard.
type heard struct {
	Seen []string
	Ends []bool
}

func (h *heard) watch(res *http.Response) {
	plugins.Watch(res,
		func(piece []byte) { h.Seen = append(h.Seen, string(piece)) },
		func(whole bool) { h.Ends = append(h.Ends, whole) })
}

func TestWatchEnds(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name  string
		err   error // after two pieces
		reads int
		want  heard
	}{
		{name: "read to the end", err: io.EOF, reads: 3, want: heard{Seen: []string{"a", "b"}, Ends: []bool{true}}},
		{name: "read beyond the end", err: io.EOF, reads: 5, want: heard{Seen: []string{"a", "b"}, Ends: []bool{true}}},
		{name: "broken off", err: broken, reads: 3, want: heard{Seen: []string{"a", "b"}, Ends: []bool{false}}},
		{name: "broken off early", err: io.ErrUnexpectedEOF, reads: 3, want: heard{Seen: []string{"a", "b"}, Ends: []bool{false}}},
		{name: "broken off with an EOF inside", err: fmt.Errorf("tls: %w", io.EOF), reads: 3, want: heard{Seen: []string{"a", "b"}, Ends: []bool{false}}},
		{name: "closed before the end", err: io.EOF, reads: 2, want: heard{Seen: []string{"a", "b"}, Ends: []bool{false}}},
		{name: "closed before it was read", err: io.EOF, want: heard{Ends: []bool{false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := &pieces{left: []string{"a", "b"}, err: tt.err}
			res := &http.Response{StatusCode: http.StatusOK, Body: body}
			var got heard
			got.watch(res)
			for range tt.reads {
				if _, err := res.Body.Read(make([]byte, 8)); err != nil && !errors.Is(err, tt.err) {
					t.Errorf("Read: %v, want %v", err, tt.err)
				}
			}
			for range 2 {
				if err := res.Body.Close(); !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("Close = %v, want the body's error", err)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("heard (-want +got):\n%s", diff)
			}
			if body.closed != 2 {
				t.Errorf("the body was closed %d times, want 2", body.closed)
			}
		})
	}
}

// A piece is seen when it arrives, not when more does.
func TestWatchPassesAtOnce(t *testing.T) {
	upstream, writer := io.Pipe()
	res := &http.Response{StatusCode: http.StatusOK, Body: upstream}
	var got heard
	got.watch(res)
	buffer := make([]byte, 8)
	for _, piece := range []string{"one", "two"} {
		go func() { _, _ = writer.Write([]byte(piece)) }()
		n, err := res.Body.Read(buffer)
		if err != nil || string(buffer[:n]) != piece {
			t.Fatalf("Read = %q, %v, want %q", buffer[:n], err, piece)
		}
		if last := got.Seen[len(got.Seen)-1]; last != piece {
			t.Errorf("seen %q, want %q", last, piece)
		}
	}
}

func TestWatchOfNobody(t *testing.T) {
	res := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("abc"))}
	plugins.Watch(res, nil, nil)
	if got, err := io.ReadAll(res.Body); err != nil || string(got) != "abc" {
		t.Errorf("the body = %q, %v, want abc", got, err)
	}
}

// The answer to an upgrade is a connection: it can be written to, one side of
// it can end before the other, and it ends when it is closed.
func TestWatchOfConnection(t *testing.T) {
	for _, whole := range []bool{true, false} {
		near, far := tcp(t)
		res := &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: near}
		var got heard
		got.watch(res)
		conn, ok := res.Body.(io.ReadWriteCloser)
		if !ok {
			t.Fatalf("the body is a %T, which cannot be written to", res.Body)
		}
		if _, err := conn.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(far); err != nil || string(text) != "ping" {
			t.Errorf("the upstream got %q, %v, want ping", text, err)
		}
		if _, err := far.Write([]byte("pong")); err != nil {
			t.Fatal(err)
		}
		_ = far.Close()
		most := io.Reader(conn)
		if !whole {
			most = io.LimitReader(conn, 4)
		}
		if text, err := io.ReadAll(most); err != nil || string(text) != "pong" {
			t.Errorf("the client got %q, %v, want pong", text, err)
		}
		if len(got.Ends) != 0 {
			t.Error("end was called before the connection was closed")
		}
		_ = conn.Close()
		_ = conn.Close()
		if diff := cmp.Diff(heard{Ends: []bool{whole}}, got); diff != "" {
			t.Errorf("heard (-want +got):\n%s", diff)
		}
	}
}

// Only a 101 is a connection, whatever else its body can do.
func TestWatchOfBodyThatCanBeWritten(t *testing.T) {
	near, far := tcp(t)
	if _, err := far.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	_ = far.Close()
	res := &http.Response{StatusCode: http.StatusOK, Body: near}
	var got heard
	got.watch(res)
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(heard{Seen: []string{"a"}, Ends: []bool{true}}, got); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
}

func TestWatchOfConnectionWithOneEnd(t *testing.T) {
	near, _ := net.Pipe()
	res := &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: near}
	plugins.Watch(res, nil, nil)
	if err := res.Body.(interface{ CloseWrite() error }).CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite = %v, want %v", err, errors.ErrUnsupported)
	}
}

// tcp returns both ends of a connection.
func tcp(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}
