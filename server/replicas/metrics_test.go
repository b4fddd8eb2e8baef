package replicas

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// operator returns what the relay answers its operators.
func (r *relay) operator(t testing.TB, path string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(r.admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s, %v", path, res.StatusCode, body, err)
	}
	return string(body)
}

// sum adds up what the metrics of the relays say that have the name and the
// labels, each as it stands there, such as change="debt".
func sum(t testing.TB, relays []*relay, name string, labels ...string) (total float64) {
	t.Helper()
	for _, r := range relays {
	lines:
		for line := range strings.Lines(r.operator(t, "/metrics")) {
			series, value, ok := strings.Cut(strings.TrimSpace(line), " ")
			if bare, _, _ := strings.Cut(series, "{"); !ok || bare != name {
				continue
			}
			for _, l := range labels {
				if !strings.Contains(series, l) {
					continue lines
				}
			}
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			total += n
		}
	}
	return total
}

// used returns what GET /limits says of a rule's limit of that kind: what is
// used of it, as it is written there.
func (r *relay) used(t testing.TB, rule, kind string) string {
	t.Helper()
	var shown struct {
		Rules map[string]struct {
			Counters []struct {
				Kind string
				Used json.Number
			}
		}
	}
	if err := json.Unmarshal([]byte(r.operator(t, "/limits")), &shown); err != nil {
		t.Fatal(err)
	}
	for _, c := range shown.Rules[rule].Counters {
		if c.Kind == kind {
			return c.Used.String()
		}
	}
	t.Fatalf("no %s of the rule %s: %v", kind, rule, shown)
	return ""
}
