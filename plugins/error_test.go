package plugins_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holysheep/relay/plugins"
)

// closed returns an error like the package variables of plugins.
func closed() *plugins.Error {
	return &plugins.Error{
		Status:  http.StatusForbidden,
		Type:    "permission_error",
		Code:    "closed",
		Message: "the gate is closed",
		Header:  http.Header{"Retry-After": {"1"}, "X-A": {"a"}},
	}
}

func TestErrorIs(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{name: "itself", err: closed(), want: true},
		{name: "a copy with a cause", err: closed().Because(io.EOF), want: true},
		{name: "a copy with another message", err: closed().Saying("no"), want: true},
		{name: "a copy with headers", err: closed().With(http.Header{"A": {"b"}}), want: true},
		{name: "inside of another", err: fmt.Errorf("asking: %w", closed()), want: true},
		{name: "another code", err: &plugins.Error{Status: 403, Code: "open"}},
		{name: "another status", err: &plugins.Error{Status: 404, Code: "closed"}},
		{name: "no such error", err: io.EOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := errors.Is(tt.err, closed()); got != tt.want {
				t.Errorf("errors.Is = %t, want %t", got, tt.want)
			}
		})
	}
	if errors.Is(closed(), (*plugins.Error)(nil)) {
		t.Error("an error is none")
	}
	if !errors.Is(closed().Because(io.EOF), io.EOF) {
		t.Error("an error is not its cause")
	}
}

func TestErrorText(t *testing.T) {
	if got, want := closed().Error(), "closed: the gate is closed"; got != want {
		t.Errorf("Error = %q, want %q", got, want)
	}
	if got, want := closed().Because(io.EOF).Error(), "closed: the gate is closed: EOF"; got != want {
		t.Errorf("Error = %q, want %q", got, want)
	}
}

// The package variables are shared by all requests, so no copy may reach them.
func TestErrorCopies(t *testing.T) {
	more := http.Header{"Retry-After": {"2"}, "X-B": {"b"}}
	copies := map[string]func(*plugins.Error) *plugins.Error{
		"Because": func(e *plugins.Error) *plugins.Error { return e.Because(io.EOF) },
		"Saying":  func(e *plugins.Error) *plugins.Error { return e.Saying("no") },
		"With":    func(e *plugins.Error) *plugins.Error { return e.With(more) },
	}
	wants := map[string]*plugins.Error{"Because": closed(), "Saying": closed(), "With": closed()}
	wants["Because"].Err = io.EOF
	wants["Saying"].Message = "no"
	wants["With"].Header = http.Header{"Retry-After": {"2"}, "X-A": {"a"}, "X-B": {"b"}}
	for name, derive := range copies {
		t.Run(name, func(t *testing.T) {
			original := closed()
			got := derive(original)
			if diff := cmp.Diff(wants[name], got, cmpopts.EquateErrors()); diff != "" {
				t.Errorf("the copy (-want +got):\n%s", diff)
			}
			for key := range got.Header {
				got.Header[key][0] = "changed"
			}
			got.Header.Set("X-C", "c")
			if diff := cmp.Diff(closed(), original); diff != "" {
				t.Errorf("the original changed (-want +got):\n%s", diff)
			}
			if more.Get("X-B") != "b" || more.Get("Retry-After") != "2" {
				t.Errorf("the headers passed to With changed: %v", more)
			}
		})
	}
}

func TestErrorWithoutHeader(t *testing.T) {
	e := &plugins.Error{Status: 403, Code: "closed"}
	if got := e.With(http.Header{"A": {"b"}}).Header.Get("A"); got != "b" {
		t.Errorf("A = %q, want b", got)
	}
	if e.Because(io.EOF).Header != nil {
		t.Error("a copy got headers from nowhere")
	}
}

func TestAsError(t *testing.T) {
	if _, ok := plugins.AsError(io.EOF); ok {
		t.Error("AsError found an answer in io.EOF")
	}
	got, ok := plugins.AsError(fmt.Errorf("asking: %w", closed().Because(&plugins.Error{Code: "inner"})))
	if !ok || got.Code != "closed" {
		t.Errorf("AsError = %v, %t, want the outermost answer", got, ok)
	}
}
