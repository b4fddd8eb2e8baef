package auth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/internal/credential"
)

func fingerprint(name string) string { return credential.Hash("sk-hs-" + name)[:12] }

func TestAdminListsClients(t *testing.T) {
	w := httptest.NewRecorder()
	link(t, env(t, clients())).Admin.ServeHTTP(w, httptest.NewRequest("GET", "/plugins/auth/", nil))
	type m = map[string]any
	type l = []any
	want := m{"clients": l{
		m{"name": "bound", "models": l{"gpt-*", "openai/*"}, "disabled": false, "keys": l{
			m{"name": "mini", "fingerprint": fingerprint("mini"), "expired": false, "disabled": false, "models": l{"gpt-*-mini"}},
			m{"name": "wide", "fingerprint": fingerprint("wide"), "expired": false, "disabled": false},
		}},
		m{"name": "free", "group": "research", "disabled": false, "keys": l{
			m{"name": "narrow", "fingerprint": fingerprint("narrow"), "expired": false, "disabled": false, "models": l{"gpt-4.1"}},
			m{"name": "new", "fingerprint": fingerprint("new"), "expired": false, "disabled": false},
			m{"name": "off", "fingerprint": fingerprint("off"), "expired": false, "disabled": true, "expires": "2027-01-01T00:00:00Z"},
			m{"name": "old", "fingerprint": fingerprint("old"), "expired": true, "disabled": false, "expires": "2026-11-23T12:00:00Z"},
		}},
		m{"name": "gone", "disabled": true, "keys": l{
			m{"name": "gone", "fingerprint": fingerprint("gone"), "expired": false, "disabled": false},
		}},
	}}
	var got m
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type = %q, want application/json", got)
	}
}

func TestAdminOnlyReads(t *testing.T) {
	w := httptest.NewRecorder()
	link(t, env(t, clients())).Admin.ServeHTTP(w, httptest.NewRequest("POST", "/plugins/auth/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("answer = %d, Allow %q; want 405, GET, HEAD", w.Code, w.Header().Get("Allow"))
	}
}
