package credential_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/holysheep/relay/internal/credential"
)

// FuzzStrip holds that Find finds nothing after Strip, and that what Strip
// leaves of the query is what was sent, piece by piece.
func FuzzStrip(f *testing.F) {
	f.Add("Bearer k", "k", "realtime, openai-insecure-api-key.k", "a=1&key=k&b")
	f.Add("bearer  k", "", "OpenAI-Insecure-Api-Key.", "%6bey=%zz&&k%65y")
	f.Add("Basic k", " ", ",,openai-project.p", "key;key=+&=key")
	f.Add("", "", "", ";a;key=k&;b&key=j;&c;")
	f.Fuzz(func(t *testing.T, authorization, key, protocol, query string) {
		h := http.Header{}
		h.Set("Authorization", authorization)
		h.Set("X-Api-Key", key)
		h.Set("Sec-WebSocket-Protocol", protocol)
		left := credential.Strip(h, query)
		if found, err := credential.Find(h, left); !errors.Is(err, credential.ErrMissing) {
			t.Errorf("after Strip of %q: Find = %q, %v", query, found, err)
		}
		if want := withoutKey(query); left != want {
			t.Errorf("Strip(%q) leaves %q, want %q", query, left, want)
		}
		if again := credential.Strip(h, left); again != left {
			t.Errorf("Strip(%q) = %q: not the same again", left, again)
		}
	})
}

// withoutKey is what Strip does to a query, said in another way: what is left
// of each part between two &, without the parts of which nothing is left.
func withoutKey(query string) string {
	var parts []string
	for part := range strings.SplitSeq(query, "&") {
		pieces := slices.DeleteFunc(strings.Split(part, ";"), func(piece string) bool {
			name, err := url.QueryUnescape(strings.SplitN(piece, "=", 2)[0])
			return err == nil && name == "key"
		})
		if len(pieces) > 0 {
			parts = append(parts, strings.Join(pieces, ";"))
		}
	}
	return strings.Join(parts, "&")
}

// FuzzFind holds that a credential is part of what the client sent, and that
// where Find sees one, net/url sees the same.
func FuzzFind(f *testing.F) {
	f.Add("Bearer k", "key=k")
	f.Add("Bearer", "%6bey=k&a")
	f.Add("Bearer  k j", "")
	f.Fuzz(func(t *testing.T, authorization, query string) {
		h := http.Header{"Authorization": {authorization}}
		if key, err := credential.Find(h, ""); err == nil && (key == "" || !strings.Contains(authorization, key)) {
			t.Errorf("Find in %q = %q", authorization, key)
		}
		key, err := credential.Find(nil, query)
		values, bad := url.ParseQuery(query)
		if bad != nil {
			return
		}
		sent := slices.DeleteFunc(values["key"], func(v string) bool { return v == "" })
		if len(slices.Compact(slices.Sorted(slices.Values(sent)))) == 1 && (err != nil || key != sent[0]) {
			t.Errorf("Find in %q = %q, %v; net/url reads %q", query, key, err, sent)
		}
		if len(sent) == 0 && !errors.Is(err, credential.ErrMissing) {
			t.Errorf("Find in %q = %q, %v; net/url reads none", query, key, err)
		}
	})
}
