package plugins

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// TestAKeptModelKeepsNoURL keeps the models of requests whose URLs are long, as a
// limit per model does.
func TestAKeptModelKeepsNoURL(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	var kept []string
	for i := range 64 {
		at := fmt.Sprintf("/openai/deployments/model-%d/chat/completions?pad=%s", i, strings.Repeat("x", 1<<20))
		req, err := http.NewRequest(http.MethodPost, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, ReadAsk(req, []byte(`{}`), true).Model)
	}
	if grown := int64(heap()) - int64(before); grown > 16<<20 {
		t.Errorf("%d models keep %d MiB", len(kept), grown>>20)
	}
	runtime.KeepAlive(kept)
}
