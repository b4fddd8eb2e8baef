package plugins_test

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
)

func TestCallOf(t *testing.T) {
	call := plugins.NewCall("req-1", nil)
	if got := plugins.CallOf(plugins.WithCall(t.Context(), call)); got != call {
		t.Errorf("CallOf = %v, want the call of WithCall", got)
	}
	got := plugins.CallOf(t.Context())
	if client, known := got.Client(); got.ID != "" || known || client.Name != "" || got.Cache() != "" {
		t.Errorf("CallOf = %+v without a call, want an empty one", got)
	}
	if a := got.Ask(); a != (plugins.Ask{}) {
		t.Errorf("Ask = %+v without a call, want none", a)
	}
}

func TestCallAsksOnce(t *testing.T) {
	var asked atomic.Int64
	call := plugins.NewCall("", func() plugins.Ask {
		asked.Add(1)
		return plugins.Ask{Model: "a"}
	})
	if asked.Load() != 0 {
		t.Fatal("the body was read before anybody wanted to know")
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := call.Ask().Model; got != "a" {
				t.Errorf("Ask().Model = %q, want a", got)
			}
		})
	}
	all.Wait()
	if got := asked.Load(); got != 1 {
		t.Errorf("the body was read %d times, want once", got)
	}
}

func TestTheModelThatAnswers(t *testing.T) {
	attempt := func(model, named string) *plugins.Attempt {
		a := &plugins.Attempt{}
		a.Begin("one", "", model, 0)
		a.SetUsage(plugins.Usage{Model: named})
		return a
	}
	for _, tt := range []struct {
		name, asked string
		attempt     *plugins.Attempt
		want        string
	}{
		{"that another fell back on", "a", attempt("b", "b-2025"), "b"},
		{"that was asked for, where no upstream goes by models", "a", attempt("", "a-2025"), "a"},
		{"that the answer names, where nothing else does", "", attempt("", "a-2025"), "a-2025"},
		{"that was asked for, where nobody was asked", "a", nil, "a"},
		{"none", "", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			call := plugins.NewCall("", func() plugins.Ask { return plugins.Ask{Model: tt.asked} })
			if tt.attempt != nil {
				call.Trail.Begin(tt.attempt)
			}
			if got := call.Answered(); got != tt.want {
				t.Errorf("Answered = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCallHeaders(t *testing.T) {
	call := plugins.NewCall("", nil)
	call.SetHeader("x-cache", "MISS")
	call.SetHeader("X-Cache", "HIT")
	if got := call.Header("x-cache"); got != "HIT" {
		t.Errorf("Header = %q, want HIT", got)
	}
	if got := call.Header("Age"); got != "" {
		t.Errorf("Header = %q of a header that was not set", got)
	}
	got := http.Header{"X-Cache": {"of", "the upstream"}, "Date": {"today"}}
	call.WriteHeaders(got)
	if diff := cmp.Diff(http.Header{"X-Cache": {"HIT"}, "Date": {"today"}}, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestCallFault(t *testing.T) {
	call := plugins.NewCall("", nil)
	if err := call.Fault(); err != nil {
		t.Errorf("Fault = %v, want none", err)
	}
	for _, err := range []error{nil, io.ErrUnexpectedEOF, io.EOF} {
		call.SetFault(err)
	}
	if err := call.Fault(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Fault = %v, want the first, %v", err, io.ErrUnexpectedEOF)
	}
}

// The race detector watches.
func TestCallIsSafe(t *testing.T) {
	call := plugins.NewCall("", nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			name := strconv.Itoa(i)
			call.SetClient(plugins.Client{Name: name, Group: name})
			if client, known := call.Client(); !known || client.Name != client.Group {
				t.Errorf("Client = %+v, %t", client, known)
			}
			call.SetHeader("X-"+name, name)
			call.WriteHeaders(http.Header{})
			call.SetCache(name)
			call.SetFault(errors.New(name))
			call.Trail.Note(name, i)
			if !call.Trail.Asked(name) || call.Trail.Last() == "" || call.Cache() == "" || call.Fault() == nil || call.Header("X-"+name) != name {
				t.Errorf("%s: what was noted is gone", name)
			}
		})
	}
	all.Wait()
	if got := call.Trail.Attempts(); got != 8 {
		t.Errorf("Attempts = %d, want 8", got)
	}
}

func TestTrail(t *testing.T) {
	var trail plugins.Trail
	if trail.Asked("a") || trail.Attempts() != 0 || trail.Last() != "" || trail.Answer() != nil {
		t.Error("an empty trail is not empty")
	}
	trail.Note("a", 1)
	trail.Note("b", 0)
	trail.Note("a", 2)
	if !trail.Asked("a") || !trail.Asked("b") || trail.Asked("c") {
		t.Error("Asked is wrong")
	}
	if trail.Attempts() != 3 || trail.Last() != "a" || trail.Answer().Alternatives() != 2 {
		t.Errorf("Attempts, Last, Alternatives = %d, %q, %d, want 3, a, 2", trail.Attempts(), trail.Last(), trail.Answer().Alternatives())
	}
}
