package limit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestEstimatesThatCanBeNone(t *testing.T) {
	err := Estimate{BytesPerToken: 17, Output: -1, Media: 1_000_001}.validate()
	want := []string{
		"bytes_per_token: 17 is not from 1 to 16",
		"output: -1 is not from 0 to 1000000",
		"media: 1000001 is not from 0 to 1000000",
	}
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	for _, good := range []Estimate{estimateDefaults(), {BytesPerToken: 1}, {BytesPerToken: 16, Output: 1_000_000, Media: 1_000_000}} {
		if err := good.validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
}

func TestTheOutputIsTheBoundOfTheRequest(t *testing.T) {
	req := plugintest.Request(t, `{"max_tokens": 7}`)
	if _, got := estimateDefaults().of(req, plugins.CallOf(req.Context())); got != 7 {
		t.Errorf("output = %d, want 7", got)
	}
}
