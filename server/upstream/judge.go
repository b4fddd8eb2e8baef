package upstream

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/holysheep/relay/internal/credential"
	"github.com/holysheep/relay/plugins"
)

// A reason is why an upstream refuses a key.
type reason string

// The reasons, as metrics have them.
const (
	accepted     reason = ""
	unauthorized reason = "unauthorized" // 401
	forbidden    reason = "forbidden"    // 403
	quota        reason = "quota"        // 402, or 429 that is not about too many requests
)

const (
	// keyRest is how long a key is left alone where the answer does not say it.
	// A key that was revoked or an account that is empty stays so until somebody
	// does something about it: to ask every 5 minutes costs little.
	keyRest = 5 * time.Minute

	// quotaBytes is how much of an error's body is searched for [outOfQuota].
	quotaBytes = 4 << 10
)

// judgeKey tells an answer that refuses the key from any other, and ejects the
// key: retry asks again by another one, if there is. In place of a 401 it
// returns an error, which the client must not take for its own key's.
func (a *asking) judgeKey(req *http.Request, res *http.Response) (*http.Response, error) {
	why := refusal(res)
	if why != accepted && a.key.state != nil && a.holds(req.Context(), why, res) &&
		a.member.keys.left(a.now(), &a.call.Trail, a.member.name) {
		a.attempt.SetFault(plugins.FaultKey)
		a.attempt.SetAlternatives(max(1, a.attempt.Alternatives()))
	}
	if why != unauthorized {
		return res, nil
	}
	_ = res.Body.Close()
	return nil, ErrKey
}

// holds ejects the key, unless the refusal may be the request's own fault and
// not the key's: a 403 is an answer to requests too, such as those that a
// moderation stops. So it does not eject the last good key, and a request that
// a second key is forbidden as well gives the first one back.
func (a *asking) holds(ctx context.Context, why reason, res *http.Response) bool {
	now := a.now()
	if why == forbidden && (a.forgive(now) || !a.member.keys.spare(now, a.key)) {
		return false
	}
	rest := keyRest
	if asked := restAsked(res, now); asked > 0 {
		rest = asked
	}
	if most := a.config.Health.MaxEjection; most > 0 {
		rest = min(rest, most)
	}
	if a.key.state.eject(now, now.Add(rest), why) {
		a.log.WarnContext(ctx, "an upstream refuses a key, which is left alone for a while", "upstream", a.member.name,
			"key", a.key.name, "fingerprint", credential.Fingerprint(a.key.secret), "reason", string(why),
			"status", res.StatusCode, "for", rest.String(), "request_id", a.call.ID)
	}
	return true
}

// forgive gives back the keys that were ejected because they were forbidden
// this very request, and reports whether there were any.
func (a *asking) forgive(now time.Time) bool {
	found := false
	for _, one := range a.member.keys.tried(&a.call.Trail) {
		if one != a.key && one.state.pardon(now, forbidden) {
			found = true
		}
	}
	return found
}

// refusal returns why an answer refuses the key, [accepted] if it does not.
func refusal(res *http.Response) reason {
	switch res.StatusCode {
	case http.StatusUnauthorized:
		return unauthorized
	case http.StatusForbidden:
		return forbidden
	case http.StatusPaymentRequired:
		return quota
	case http.StatusTooManyRequests:
		if outOfQuota(errorText(res)) {
			return quota
		}
	}
	return accepted
}

// errorText returns the beginning of an error's body, in plain, as far as
// [conceal] has read it.
func errorText(res *http.Response) []byte {
	p, ok := res.Body.(*prefixed)
	if !ok {
		return nil
	}
	text := p.head
	if encoding := res.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		text = decode(text, encoding)
	}
	return text[:min(len(text), quotaBytes)]
}

// outOfQuota reports whether an error tells of an account that is used up, in
// the words of OpenAI (insufficient_quota, billing_…), of Google ("exceeded your
// current quota"), of Moonshot (exceeded_current_quota_error), of one-api
// (insufficient_user_quota) and of those who speak of a balance, rather than of
// too many requests at once.
func outOfQuota(text []byte) bool {
	text = bytes.ToLower(text)
	return slices.ContainsFunc([]string{
		"insufficient_quota", "insufficient_user_quota", "exceeded your current quota", "exceeded_current_quota",
		"quota exceeded", "quota_exceeded", "billing_hard_limit_reached", "billing_not_active",
		"insufficient balance", "insufficient_balance", "credit balance",
	}, func(words string) bool { return bytes.Contains(text, []byte(words)) })
}

// restAsked returns how long the answer asks to be left alone, 0 if it does not:
// by [plugins.RetryAfter], or by the retryDelay in the body of Google's errors.
func restAsked(res *http.Response, now time.Time) time.Duration {
	if asked := plugins.RetryAfter(res.Header, now); asked > 0 {
		return asked
	}
	if found := retryDelay().FindSubmatch(errorText(res)); found != nil {
		seconds, _ := strconv.Atoi(string(found[1])) // nine digits always fit
		return time.Duration(seconds) * time.Second
	}
	return 0
}

// retryDelay finds the whole seconds of google.rpc.RetryInfo in an error.
func retryDelay() *regexp.Regexp { return regexp.MustCompile(`"retryDelay":\s*"([0-9]{1,9})`) }
