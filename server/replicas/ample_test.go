package replicas

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// A bucket is one of a limit of a rate: what it holds, what it gets a second,
// and what is reserved for one request.
type bucket struct{ burst, second, each float64 }

// ample fails if somebody was refused while the bucket had room for one more, as
// far as that is sure on a machine of any speed. Whenever a request was refused
// there was less in the bucket than is reserved for one. So until the last
// refusal as much was taken as it held and as it got since the first one, but for
// what it lost while it was full: see lost. What each that passed took is for
// took to say; what it gave back counts as taken, for time may have given it back
// before: all of it does where an answer takes longer than its tokens to come
// back.
func (b bucket) ample(t *testing.T, what string, all []asked, took func(asked) float64) {
	t.Helper()
	taken := 0.0
	for _, a := range passed(all, "") {
		taken += took(a)
	}
	refused := slices.DeleteFunc(slices.Clone(all), func(a asked) bool {
		return a.status != http.StatusTooManyRequests || strings.Contains(a.body, "limits_unavailable")
	})
	if len(refused) == 0 {
		t.Logf("%s: nobody was refused", what)
		return
	}
	slices.SortFunc(refused, func(a, b asked) int { return a.sent.Compare(b.sent) })
	room, d := b.burst-b.each, refused[len(refused)-1].sent.Sub(refused[0].done)
	d -= lost(refused, time.Duration(room/b.second*float64(time.Second)))
	there := room + max(b.second*d.Seconds(), 0)
	t.Logf("%s: %.0f were taken, and at least %.0f were there", what, taken, there)
	if taken < 0.99*there-1 {
		t.Errorf("%s: %.0f were taken, of at least %.0f that were there", what, taken, there)
	}
}

// lost returns for how long at most a bucket was full that takes so long to fill
// from where requests are refused, in the order of their sending. It was not
// while two refusals lie closer together. When a relay decided is not seen from
// outside, so they lie apart from the sending of the one to the answer of the
// other: of all chains of refusals one is taken that has few links.
func lost(refused []asked, fills time.Duration) (d time.Duration) {
	for i := 0; i < len(refused)-1; {
		next, after := i, refused[i].sent
		for j := i + 1; j < len(refused) && refused[j].sent.Sub(after) <= fills; j++ {
			if refused[j].done.Sub(after) <= fills {
				next = j
			}
		}
		if next == i { // they may lie too far apart
			next++
			d += refused[next].done.Sub(after) - fills
		}
		i = next
	}
	return d
}

// TestTheLeastThatWasThere: refusals that lie close together say that the bucket
// was never full, and those that may not have say nothing.
func TestTheLeastThatWasThere(t *testing.T) {
	at := func(sent, done time.Duration) asked {
		begin := time.Unix(1e9, 0)
		return asked{sent: begin.Add(sent), done: begin.Add(done)}
	}
	const second = time.Second
	tests := []struct {
		name    string
		refused []asked
		want    time.Duration
	}{
		{"one", []asked{at(0, second)}, 0},
		{"close together", []asked{at(0, second), at(second, 2*second), at(2*second, 3*second)}, 0},
		{"a long answer between short ones", []asked{at(0, second), at(second, 9*second), at(second, 2*second), at(2*second, 3*second)}, 0},
		{"a hole", []asked{at(0, second), at(5*second, 6*second), at(6*second, 7*second)}, 4 * second},
		{"long answers", []asked{at(0, 3*second), at(second, 4*second), at(2*second, 5*second)}, 4 * second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := lost(tt.refused, 2*second); got != tt.want {
				t.Errorf("full for %s, want %s", got, tt.want)
			}
		})
	}
}
