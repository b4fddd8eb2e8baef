package retry

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWords(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Settings)
		want   []string
	}{
		{"once", func(s *Settings) { s.Attempts = 1 }, []string{"An upstream is asked once: nothing is asked again."}},
		{"the defaults", func(*Settings) {}, []string{
			"An upstream is asked up to 3 times in all: again where no answer came, where a key was refused and another is left, and where a stream begins with an error that passes.",
			"It is also asked again after an answer of 408, 409, 429, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510 or 511, where 500 stands for every 5xx that nobody has registered; x-should-retry on an error overrules that.",
			"As long as an upstream is left that the request has not asked, it is asked at once; else the wait is random, up to 100ms at first and twice as long each further time, but never longer than 5s.",
			"A Retry-After of up to 10s is waited for; after a longer one the client gets the answer as it is, if no other upstream is left.",
			"Retries of all requests together are at most 20 for a hundred requests of the last 10s, or 10 a second if that is more, without those on which nothing was sent; beyond that the client gets the failure as it is.",
			"Nothing is asked again once an answer has begun, after the client has left, or when the wait would outlast the request's own time.",
		}},
		{"other settings", func(s *Settings) {
			s.Attempts, s.Statuses, s.Wait, s.MaxWait, s.MaxRetryAfter = 2, nil, 0, 0, 0
			s.Budget = Budget{Percent: 5, PerSecond: 1}
			s.Hedge = Hedge{Endpoints: []string{"/v1/embeddings", "/v1/rerank"}, Percentile: 90, Least: time.Second}
		}, []string{
			"An upstream is asked up to 2 times in all: again where no answer came, where a key was refused and another is left, and where a stream begins with an error that passes.",
			"No answer is asked again for its status, unless it is an error that says x-should-retry: true.",
			"There is no wait before it is asked again.",
			"A Retry-After is never waited for: the client gets the answer as it is, if no other upstream is left.",
			"Retries of all requests together are at most 5 for a hundred requests of the last 10s, or 1 a second if that is more, without those on which nothing was sent; beyond that the client gets the failure as it is.",
			"A call of /v1/embeddings or /v1/rerank that is no stream is asked a second time, as one of these retries, when it takes longer than 90 of a hundred did and than 1s: the first answer is the client's, the other is canceled.",
			"Nothing is asked again once an answer has begun, after the client has left, or when the wait would outlast the request's own time.",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Defaults()
			tt.change(&s)
			if diff := cmp.Diff(s.Words(), tt.want); diff != "" {
				t.Errorf("words (-got +want):\n%s", diff)
			}
		})
	}
}
