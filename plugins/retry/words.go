package retry

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Words says in plain sentences, one thing in each, what happens to a request
// that fails. The README says the same.
func (s Settings) Words() []string {
	if s.Attempts < 2 {
		return []string{"An upstream is asked once: nothing is asked again."}
	}
	words := []string{
		fmt.Sprintf("An upstream is asked up to %d times in all: again where no answer came, where a key was refused and another is left, and where a stream begins with an error that passes.", s.Attempts),
		s.statusWords(),
		s.waitWords(),
		s.retryAfterWords(),
		fmt.Sprintf("Retries of all requests together are at most %d for a hundred requests of the last %s, or %d a second if that is more, without those on which nothing was sent; beyond that the client gets the failure as it is.", s.Budget.Percent, budgetWindow, s.Budget.PerSecond),
	}
	if len(s.Hedge.Endpoints) > 0 {
		words = append(words, fmt.Sprintf("A call of %s that is no stream is asked a second time, as one of these retries, when it takes longer than %d of a hundred did and than %s: the first answer is the client's, the other is canceled.", list(s.Hedge.Endpoints), s.Hedge.Percentile, s.Hedge.Least))
	}
	return append(words, "Nothing is asked again once an answer has begun, after the client has left, or when the wait would outlast the request's own time.")
}

// statusWords says which answers are asked again for their status.
func (s Settings) statusWords() string {
	if len(s.Statuses) == 0 {
		return "No answer is asked again for its status, unless it is an error that says x-should-retry: true."
	}
	var names []string
	for _, status := range slices.Sorted(slices.Values(s.Statuses)) {
		names = append(names, strconv.Itoa(status))
	}
	words := "It is also asked again after an answer of " + list(names)
	if slices.Contains(s.Statuses, http.StatusInternalServerError) {
		words += ", where 500 stands for every 5xx that nobody has registered"
	}
	return words + "; x-should-retry on an error overrules that."
}

// waitWords says how long it waits of its own accord.
func (s Settings) waitWords() string {
	if s.MaxWait == 0 {
		return "There is no wait before it is asked again."
	}
	return fmt.Sprintf("As long as an upstream is left that the request has not asked, it is asked at once; else the wait is random, up to %s at first and twice as long each further time, but never longer than %s.", s.Wait, s.MaxWait)
}

// retryAfterWords says what becomes of an upstream's Retry-After.
func (s Settings) retryAfterWords() string {
	if s.MaxRetryAfter == 0 {
		return "A Retry-After is never waited for: the client gets the answer as it is, if no other upstream is left."
	}
	return fmt.Sprintf("A Retry-After of up to %s is waited for; after a longer one the client gets the answer as it is, if no other upstream is left.", s.MaxRetryAfter)
}

// list joins words by commas, and the last one by or.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
