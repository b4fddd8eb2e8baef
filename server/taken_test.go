package server

import (
	"net"
	"strings"
	"testing"
)

func TestAnAddressThatIsTakenIsNamedOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for _, key := range []string{"listen", "admin"} {
		s, err := New(Options{Plugins: builtin(), Log: &logs{}, Base: map[string]any{
			"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "chain": []any{}, key: l.Addr().String(),
			"upstreams": map[string]any{"one": map[string]any{"base_url": "http://127.0.0.1:9/v1"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = s.Listen()
		want := key + ": " + l.Addr().String() + " is taken by another program: set another address, here or by RELAY_" + strings.ToUpper(key)
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
		if err := s.Discard(); err != nil {
			t.Error(err)
		}
	}
}
