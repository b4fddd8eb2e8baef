package cache

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holysheep/relay/internal/answer"
	"github.com/holysheep/relay/internal/redistest"
)

// newer stands in for a Redis with vector sets: it knows VADD, VSIM, PEXPIRE and
// COMMAND INFO as Redis 8 documents them, for one vector a set.
type newer struct {
	mu    sync.Mutex
	sets  map[string][]string // key: element and vector
	asked []string
}

// serve answers on a port of its own.
func serveNewer(t *testing.T) (*newer, *redis.Client) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &newer{sets: map[string][]string{}}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { n.speak(conn) })
		}
	})
	client := redis.NewClient(&redis.Options{Addr: l.Addr().String(), Protocol: 2, MaxRetries: -1, DisableIdentity: true})
	t.Cleanup(func() {
		_ = client.Close()
		_ = l.Close()
		conns.Wait()
	})
	return n, client
}

// speak answers the commands of a connection.
func (n *newer) speak(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		args, err := command(in)
		if err != nil {
			return
		}
		if _, err := io.WriteString(conn, n.answer(args)); err != nil {
			return
		}
	}
}

// command reads an array of bulk strings.
func command(in *bufio.Reader) (args []string, err error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	count, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	for range count {
		if line, err = in.ReadString('\n'); err != nil {
			return nil, err
		}
		size, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
		text := make([]byte, size+2)
		if _, err := io.ReadFull(in, text); err != nil {
			return nil, err
		}
		args = append(args, string(text[:size]))
	}
	return args, nil
}

func (n *newer) answer(args []string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, args[0])
	bulk := func(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }
	switch strings.ToUpper(args[0]) {
	case "COMMAND":
		return "*1\r\n*2\r\n" + bulk("vsim") + ":-4\r\n"
	case "VADD": // key FP32 vector element
		n.sets[args[1]] = []string{args[4], args[3]}
		return ":1\r\n"
	case "VSIM": // key FP32 vector WITHSCORES COUNT n
		set, ok := n.sets[args[1]]
		if !ok {
			return "*0\r\n"
		}
		similarity := (1 + cosine(set[1], args[3])) / 2
		return "*2\r\n" + bulk(set[0]) + bulk(strconv.FormatFloat(similarity, 'f', -1, 64))
	case "PEXPIRE":
		return ":1\r\n"
	}
	return "-ERR unknown command\r\n"
}

// cosine compares two vectors of 32-bit numbers.
func cosine(a, b string) float64 {
	var ab, aa, bb float64
	for i := 0; i+4 <= len(a); i += 4 {
		x, y := number32(a[i:]), number32(b[i:])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

func number32(s string) float64 {
	bits := uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
	return float64(math.Float32frombits(bits))
}

func TestVectorsInRedis(t *testing.T) {
	server, client := serveNewer(t)
	v := &vectors{client: client, prefix: "p:", deadline: 10 * time.Second, log: slog.New(slog.DiscardHandler)}
	place := answer.Place{Name: answer.Name{Tenant: [8]byte{1}, Model: [4]byte{2}, ID: [8]byte{3}}, Key: key{4}}
	ctx := t.Context()
	if _, _, ok := v.find(ctx, key{9}, []float32{1, 0}, 0.5); ok {
		t.Error("a question was found before there was one")
	}
	v.add(ctx, &meaning{group: key{9}, vector: []float32{1, 0}}, place, time.Hour)
	got, score, ok := v.find(ctx, key{9}, []float32{0.8, 0.6}, 0.5)
	if got != place || math.Abs(score-0.8) > 1e-6 || !ok {
		t.Errorf("find = %v, %v, %t, want the place and 0.8", got, score, ok)
	}
	if _, _, ok := v.find(ctx, key{9}, []float32{0.8, 0.6}, 0.9); ok {
		t.Error("what is not near enough was found")
	}
	if _, _, ok := v.find(ctx, key{8}, []float32{1, 0}, 0.5); ok {
		t.Error("another group's was found")
	}
	server.mu.Lock()
	defer server.mu.Unlock()
	if n := len(slices.DeleteFunc(slices.Clone(server.asked), func(c string) bool { return !strings.EqualFold(c, "COMMAND") })); n != 1 {
		t.Errorf("it was asked %d times what it can, want once", n)
	}
}

// TestRedisWithoutVectorSets is a real one of today's Debian. Of a newer one it
// holds that what is added is found.
func TestRedisWithoutVectorSets(t *testing.T) {
	server := redistest.Start(t)
	var log bytes.Buffer
	v := &vectors{client: server.Client(), deadline: 10 * time.Second, log: slog.New(slog.NewTextHandler(&log, nil))}
	if infos := server.Client().Do(t.Context(), "COMMAND", "INFO", "VSIM").Val(); infos.([]any)[0] != nil { // a newer one
		v.add(t.Context(), &meaning{vector: []float32{1, 0}}, answer.Place{Key: key{4}}, time.Hour)
		if got, score, ok := v.find(t.Context(), key{}, []float32{1, 0}, 0.9); got.Key != (key{4}) || score < 0.9 || !ok || log.Len() > 0 {
			t.Errorf("find = %v, %v, %t, and the log has %q", got, score, ok, log.String())
		}
		return
	}
	for range 3 {
		if _, _, ok := v.find(context.Background(), key{}, []float32{1}, 0); ok {
			t.Error("something was found")
		}
		v.add(context.Background(), &meaning{vector: []float32{1}}, answer.Place{}, time.Hour)
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "no vector sets") || !strings.Contains(text, "plugins.cache.semantic.redis") || !strings.Contains(text, "level=ERROR") {
		t.Errorf("the log has %q, want one error that names the setting", text)
	}
	if n := server.Client().DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys were written", n)
	}
}

func TestEmbeddings(t *testing.T) {
	tests := []struct {
		name, body string
		want       []float32
	}{
		{"numbers", `{"data":[{"embedding":[1,-0.5]}]}`, []float32{1, -0.5}},
		{"base64", `{"data":[{"embedding":"AACAPwAAAL8="}]}`, []float32{1, -0.5}},
		{"none", `{"data":[]}`, nil},
		{"two", `{"data":[{"embedding":[1]},{"embedding":[1]}]}`, nil},
		{"an empty one", `{"data":[{"embedding":[]}]}`, nil},
		{"half a number", `{"data":[{"embedding":"AACA"}]}`, nil},
		{"text", `{"data":[{"embedding":"?"}]}`, nil},
		{"null", `{"data":[{"embedding":null}]}`, nil},
		{"no JSON", `hello`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readEmbedding([]byte(tt.body))
			if !slices.Equal(got, tt.want) || (err == nil) != (tt.want != nil) {
				t.Errorf("readEmbedding = %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func FuzzReadPlace(f *testing.F) {
	f.Add(placeText(answer.Place{Key: key{1}}))
	f.Add("00")
	f.Fuzz(func(t *testing.T, text string) {
		if p, ok := readPlace(text); ok && !strings.EqualFold(placeText(p), text) {
			t.Errorf("%q is read as %v", text, p)
		}
	})
}
