package cache

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holysheep/relay/internal/wire"
)

const events = ": hello\n\ndata: a\n\nevent: x\ndata: b\r\n\r\ndata: [DONE]\n\n"

func TestAReplayAsFastAsItIsRead(t *testing.T) {
	body := replay([]byte(events), 0, nil)
	if got, err := io.ReadAll(body); string(got) != events || err != nil {
		t.Errorf("it is %q, %v", got, err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
}

// Each event comes an interval after the one before, whatever size the reader's
// buffer has.
func TestAReplayAtAPace(t *testing.T) {
	for _, size := range []int{1, 7, 4096} {
		synctest.Test(t, func(t *testing.T) {
			body := replay([]byte(events), time.Second, nil)
			begin, text, came := time.Now(), "", map[string]time.Duration{}
			for buf := make([]byte, size); ; {
				n, err := body.Read(buf)
				if text += string(buf[:n]); strings.HasSuffix(text, "\n\n") || strings.HasSuffix(text, "\r\n\r\n") {
					came[text[max(0, len(text)-9):]] = time.Since(begin)
				}
				if err != nil {
					break
				}
			}
			if text != events {
				t.Errorf("with %d bytes at a time it is %q", size, text)
			}
			last := came[events[len(events)-9:]]
			if last < 3*time.Second || last > 5*time.Second {
				t.Errorf("with %d bytes at a time the last event came after %s, want a second for each but the first", size, last)
			}
		})
	}
}

func TestAReplayEnds(t *testing.T) {
	tests := []struct {
		name string
		end  func(body io.Closer, cancel func())
		want error
	}{
		{"its client leaves", func(_ io.Closer, cancel func()) { cancel() }, context.Canceled},
		{"it is closed", func(body io.Closer, _ func()) { _ = body.Close(); _ = body.Close() }, http.ErrBodyReadAfterClose},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				body := replay([]byte(events), time.Hour, ctx.Done())
				got := make(chan error)
				go func() {
					_, err := io.ReadAll(body)
					got <- err
				}()
				synctest.Wait()
				begin := time.Now()
				tt.end(body, cancel)
				if err := <-got; !errors.Is(err, tt.want) || time.Since(begin) != 0 {
					t.Errorf("it ends with %v after %s, want %v at once", err, time.Since(begin), tt.want)
				}
			})
		})
	}
}

// FuzzChecker: no stream is whole that does not say so, and none of which
// something is missing at its end.
func FuzzChecker(f *testing.F) {
	ends := map[uint8]string{uint8(wire.Chat): "[DONE]", uint8(wire.Messages): "message_stop", uint8(wire.Responses): "response.completed"}
	f.Add(uint8(wire.Chat), "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n: x\n\n")
	f.Add(uint8(wire.Messages), "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"x\"}}\r\n\r\ndata: {\"type\":\"message_stop\"}\r\n\r\n")
	f.Add(uint8(wire.Responses), "event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n")
	f.Fuzz(func(t *testing.T, kind uint8, text string) {
		end, ok := ends[kind]
		if !ok || faultOf(t, wire.Kind(kind), text) != "" {
			return
		}
		at := strings.LastIndex(text, end)
		if at < 0 {
			if !strings.Contains(text, `\u`) { // in another spelling
				t.Fatalf("%q is whole", text)
			}
			return
		}
		for cut := range at + len(end) + 1 {
			if faultOf(t, wire.Kind(kind), text[:cut]) == "" && !strings.Contains(text[:cut], end) {
				t.Errorf("%q is whole, and so is %q", text, text[:cut])
			}
		}
	})
}
