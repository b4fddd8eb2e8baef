package replicas

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

// Who is alone and waits exactly as long as a refusal says is let through, by
// whichever relay and whatever its clock says; who tries before is not. Two
// clients go by requests, two by tokens; of each two one waits and one tries.
func TestRetryAfterIsExact(t *testing.T) {
	t.Parallel()
	up := serve(t, 0)
	up.output = int64(len(question)+3)/4 + 50 - 10 // as was reserved: there is nothing to settle
	for _, s := range setups()[1:] {
		t.Run(s.name, func(t *testing.T) {
			relays := s.open(t, up.URL, "    rules:\n"+
				"      requests: {per: client, requests: 40, period: 1m, burst: 1, clients: {cy: {requests: 0}, dee: {requests: 0}}}\n"+
				"      tokens: {per: client, tokens: {limit: 120, period: 1s, burst: 100}, clients: {ada: {tokens: 0}, bob: {tokens: 0}}}\n")
			abreast(t, len(clients), []int{0, 1, 2, 3}, func(i int) string { return clients[i] }, func(t *testing.T, client int) { //nolint:thelper // it is the test
				for i := range 3 {
					sample(t, relays, client, i)
				}
			})
		})
	}
}

// sample asks until it is refused, each time another relay.
func sample(t *testing.T, relays []*relay, client, i int) {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ask := func(n int) asked {
		return load{relays: relays[(i+n)%len(relays):], body: question}.ask(transport, client)
	}
	refused := ask(0)
	for n := 1; refused.status == http.StatusOK && n < 100; n++ {
		refused = ask(n)
	}
	wait := waits(t, refused)
	if client%2 == 1 {
		early(t, func() asked { return ask(1) }, refused.sent.Add(wait-time.Millisecond))
		return
	}
	time.Sleep(time.Until(refused.done.Add(wait)))
	if again := ask(2); again.status != http.StatusOK {
		t.Errorf("%s waited %s, and got %d %s", refused.client, wait, again.status, again.body)
	}
}

// waits returns how long a refusal tells to wait.
func waits(t *testing.T, refused asked) time.Duration {
	t.Helper()
	millis, err := strconv.ParseInt(refused.header.Get("Retry-After-Ms"), 10, 64)
	if refused.status != http.StatusTooManyRequests || err != nil || millis < 1 {
		t.Fatalf("a request got %d %v %s, want a refusal", refused.status, refused.header, refused.body)
	}
	if got, want := refused.header.Get("Retry-After"), strconv.FormatInt((millis+999)/1000, 10); got != want {
		t.Errorf("Retry-After is %s after %d ms, want %s", got, millis, want)
	}
	return time.Duration(millis) * time.Millisecond
}

// early asks until something passes, which must not have been before its time.
func early(t *testing.T, ask func() asked, due time.Time) {
	t.Helper()
	for {
		a := ask()
		if a.status == http.StatusOK {
			if a.done.Before(due) {
				t.Errorf("%s was let through %s too early", a.client, due.Sub(a.done))
			}
			return
		}
		if a.sent.After(due.Add(time.Minute)) {
			t.Fatalf("%s waited a minute too long: %d %s", a.client, a.status, a.body)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
