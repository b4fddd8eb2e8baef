package demo

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestARecordHoldsWhatCameAndWhatWentOut(t *testing.T) {
	s, url := start(t, Options{Now: func() time.Time { return time.Unix(7, 0) }})
	req := request(t, url+"/echo/a%2Fb?x=%zz", "abc", "Content-Type: text/odd", "X-Mine: 1")
	req.Host = "upstream.example"
	req.Trailer = http.Header{"X-Late": {"2"}}
	req.ContentLength = -1
	body, err := read(t, do(t, req))
	if body != "abc" || err != nil {
		t.Fatalf("body = %q, %v", body, err)
	}
	got, err := s.Books().Await(patient(t), 1, func(r Record) bool { return r.State.Ended() })
	if err != nil {
		t.Fatal(err)
	}
	want := Record{
		ID: 1, State: Done, Started: time.Unix(7, 0), Ended: time.Unix(7, 0),
		Proto: "HTTP/1.1", Method: "POST", Host: "upstream.example", RequestURI: "/v1/echo/a%2Fb?x=%zz",
		Trailer:       http.Header{"X-Late": {"2"}},
		ContentLength: -1, TransferEncoding: []string{"chunked"},
		BodyBytes: 3, BodySHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Body: []byte("abc"),
		Status: 200, BytesOut: 3, Events: 1,
	}
	if diff := cmp.Diff(got, want, cmpopts.IgnoreFields(Record{}, "Header")); diff != "" {
		t.Errorf("record (-got +want):\n%s", diff)
	}
	if got := got.Header.Get("X-Mine"); got != "1" {
		t.Errorf("X-Mine = %q, want 1", got)
	}
}

func TestAClientThatLeavesIsNoticedInEveryPhase(t *testing.T) {
	tests := []struct {
		name, body, header string
		until              func(Record) bool
	}{
		{"before the headers", chatBody, "X-Demo-Latency: 1h", func(r Record) bool { return r.State == Answering }},
		{"before the first event", streamBody, "X-Demo-Stall: events=0", func(r Record) bool { return r.Status == 200 }},
		{"in the stream", streamBody, "X-Demo-Stall: events=2", func(r Record) bool { return r.Events == 2 }},
		{"between two events", streamBody, "X-Demo-Pace: 1h", func(r Record) bool { return r.Events == 1 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, url := start(t, Options{})
			ctx, cancel := context.WithCancel(patient(t))
			defer cancel()
			req := request(t, url+"/chat/completions", tt.body, tt.header).WithContext(ctx)
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				res, err := http.DefaultTransport.RoundTrip(req)
				if err == nil {
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
				}
			}()
			if _, err := s.Books().Await(patient(t), 1, tt.until); err != nil {
				t.Fatal(err)
			}
			cancel()
			<-gone
			rec, err := s.Books().Await(patient(t), 1, func(r Record) bool { return r.State.Ended() })
			if err != nil || rec.State != Cancelled {
				t.Errorf("state = %q, %v, want cancelled", rec.State, err)
			}
		})
	}
}

func TestAnUploadThatBreaksOffIsNoticed(t *testing.T) {
	s, url := start(t, Options{})
	r, w := io.Pipe()
	req := request(t, url+"/echo", "x")
	req.Body, req.ContentLength = r, -1
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if res, err := http.DefaultTransport.RoundTrip(req); err == nil {
			_ = res.Body.Close()
		}
	}()
	_, _ = io.WriteString(w, "half")
	if _, err := s.Books().Await(patient(t), 1, func(r Record) bool { return r.BodyBytes == 4 }); err != nil {
		t.Fatal(err)
	}
	_ = w.CloseWithError(errors.New("enough"))
	<-gone
	rec, err := s.Books().Await(patient(t), 1, func(r Record) bool { return r.State.Ended() })
	if err != nil || rec.State != Cancelled {
		t.Errorf("state = %q, %v, want cancelled", rec.State, err)
	}
}

func TestTheMostInFlightAtOnceIsKept(t *testing.T) {
	s, url := start(t, Options{})
	ctx, cancel := context.WithCancel(patient(t))
	defer cancel()
	for range 3 {
		req := request(t, url+"/models", "", "X-Demo-Latency: 1h").WithContext(ctx)
		go func() {
			if res, err := http.DefaultTransport.RoundTrip(req); err == nil {
				_ = res.Body.Close()
			}
		}()
	}
	if err := s.Books().Wait(patient(t), func(s Snapshot) bool { return s.InFlight == 3 }); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Books().Wait(patient(t), func(s Snapshot) bool { return s.InFlight == 0 }); err != nil {
		t.Fatal(err)
	}
	if got := s.Books().MaxInFlight(); got != 3 {
		t.Errorf("most in flight = %d, want 3", got)
	}
}

func TestTheBooksKeepTheLatestRecords(t *testing.T) {
	s, url := start(t, Options{KeepRecords: 2})
	for _, body := range []string{"one", "two", "three"} {
		_, _ = read(t, do(t, request(t, url+"/echo", body)))
	}
	var got []string
	for _, rec := range s.Books().Records() {
		got = append(got, string(rec.Body))
	}
	if diff := cmp.Diff(got, []string{"two", "three"}); diff != "" {
		t.Errorf("bodies (-got +want):\n%s", diff)
	}
	if _, kept := s.Books().Record(1); kept || s.Books().Len() != 3 {
		t.Errorf("record 1 is kept = %t, of %d", kept, s.Books().Len())
	}
}

func TestTheBooksDropOldBodies(t *testing.T) {
	b := newBooks(1000)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody)
	large := []byte(strings.Repeat("x", keptBody+1))
	const more = 3
	for range keptBytes/keptBody + more {
		b.received(b.open(req, time.Time{}), req, large)
	}
	for _, rec := range b.Records() {
		want := keptBody
		if rec.ID <= more {
			want = 0
		}
		if len(rec.Body) != want || rec.BodyBytes != int64(len(large)) {
			t.Errorf("record %d keeps %d of %d bytes, want %d", rec.ID, len(rec.Body), rec.BodyBytes, want)
		}
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	b := newBooks(1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Wait(ctx, func(Snapshot) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want that of the context", err)
	}
	if _, err := b.Await(ctx, 1, func(Record) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want that of the context", err)
	}
}
