package retry

import (
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holysheep/relay/internal/budget"
	"github.com/holysheep/relay/plugins/plugintest"
)

func TestConform(t *testing.T) { plugintest.Conform(t, Plugin, nil) }

// TestReadmeTellsTheBudget holds each row of the table of the budget in the
// README to what it allows.
func TestReadmeTellsTheBudget(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d+) \| (\d+) \|$`).FindAllStringSubmatch(string(page), -1)
	if len(rows) < 4 {
		t.Fatalf("%d rows, want the whole table", len(rows))
	}
	s := Defaults().Budget
	for _, row := range rows {
		b := budget.New(s.Percent, s.PerSecond, budgetWindow, atTen)
		requests, _ := strconv.Atoi(row[1])
		for range requests {
			b.Request()
		}
		if got := strconv.FormatInt(b.Left(), 10); got != row[2] {
			t.Errorf("of %d requests %s may be asked again, the README says %s", requests, got, row[2])
		}
	}
}

// TestReadmeTellsTheWaits holds each row of the table of waits in the README to
// what the plugin does.
func TestReadmeTellsTheWaits(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| The answer also says |")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")[2:]
	if len(rows) < 8 {
		t.Fatalf("%d rows, want the whole table", len(rows))
	}
	for _, row := range rows {
		t.Run(row, func(t *testing.T) {
			cells := strings.Split(strings.Trim(row, "| "), " | ")
			h := http.Header{}
			for _, m := range regexp.MustCompile("`([^:`]+): ([^`]+)`").FindAllStringSubmatch(cells[0], -1) {
				h.Set(m[1], m[2])
			}
			for i, elsewhere := range []bool{false, true} {
				if got, want := waits(h, elsewhere), strings.Trim(cells[i+1], "`"); got != want {
					t.Errorf("with another upstream %t: %q, want %q", elsewhere, got, want)
				}
			}
		})
	}
}

// waits says in the README's words what happens after a 503 with header h.
func waits(h http.Header, elsewhere bool) string {
	r := retrier{settings: Defaults(), now: atTen, jitter: func(time.Duration) time.Duration { return 0 }}
	res := &http.Response{StatusCode: http.StatusServiceUnavailable, Header: h}
	wait, ok := r.wait(res, elsewhere, 1)
	if !ok || !r.settings.passes(res) {
		return "the client gets the answer"
	}
	return wait.String()
}
