package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestUpstreamsAreProbedByTheCurrentConfiguration waits for probes of one
// configuration, then for those of the next, which has the first one's end.
func TestUpstreamsAreProbedByTheCurrentConfiguration(t *testing.T) {
	probes := make(chan string)
	gone := make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case probes <- r.URL.Path:
		case <-gone:
		}
	}))
	t.Cleanup(up.Close)
	t.Cleanup(func() { close(gone) })
	config := func(path string) string {
		return whole + "\nupstreams: {one: {base_url: " + up.URL + "/v1, probe: {path: " + path + ", interval: 10ms}}}\n"
	}
	r := start(t, config("/first"))
	if got := <-probes; got != "/v1/first" {
		t.Errorf("probed %s, want /v1/first", got)
	}
	held := r.take() // as a stream that goes on does
	defer held.release()
	r.write(t, config("/second"), up.URL)
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	for got := ""; got != "/v1/second"; got = <-probes {
		continue // those of the first that were on their way
	}
	for range 5 {
		if got := <-probes; got != "/v1/second" {
			t.Errorf("probed %s by a configuration that is gone", got)
		}
	}
}
