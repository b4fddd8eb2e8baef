package server

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// String says an outcome as the page of the upstreams does.
func (o outcome) String() string {
	var words []string
	switch {
	case o.status == 0:
		words = append(words, "broken off before it began")
	case o.status != 200:
		words = append(words, fmt.Sprintf("%d `%s`", o.status, o.code))
	case o.code != "" && o.broken:
		words = append(words, "an event `"+o.code+"`, broken off")
	case o.code != "":
		words = append(words, "an event `"+o.code+"`")
	case o.broken:
		words = append(words, "broken off")
	default:
		words = append(words, "the answer")
	}
	if o.attempts > 0 {
		words = append(words, fmt.Sprint(o.attempts))
	}
	if o.waits > 0 {
		words = append(words, o.waits.Truncate(time.Millisecond).String())
	}
	if o.state != "" {
		words = append(words, o.state)
	}
	return strings.Join(words, "; ")
}

// faultsTable is the matrix as the page has it.
func faultsTable() string {
	var b strings.Builder
	b.WriteString("| Every request meets | Alone, unary | Alone, streamed | Of two, unary | Of two, streamed |\n|---|---|---|---|---|\n")
	for _, f := range faults() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.name, f.unary, f.stream, f.unaryTwo, f.streamTwo)
	}
	return b.String()
}

// TestThePageTellsOfEveryFault holds the page of the upstreams to the matrix
// that TestFaults runs.
func TestThePageTellsOfEveryFault(t *testing.T) {
	page, err := os.ReadFile("upstream/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := faultsTable(); !strings.Contains(string(page), want) {
		t.Errorf("server/upstream/README.md lacks the table:\n%s", want)
	}
}
