package cache

import (
	"net/http"

	"github.com/holysheep/relay/plugins"
)

// The errors that clients get from the cache.
var (
	// ErrNotCached answers a request that wants a stored answer or none, by
	// Cache-Control: only-if-cached, if the store has none (RFC 9111, section
	// 5.2.1.7). The official SDKs ask again after a 504 unless they are told not
	// to.
	ErrNotCached = &plugins.Error{
		Status:  http.StatusGatewayTimeout,
		Type:    "cache_error",
		Code:    "not_cached",
		Message: "no stored answer may be given to this request, and it forbids to ask for a new one",
		Header:  http.Header{"X-Should-Retry": {"false"}},
	}

	// ErrInvalidKey refuses to purge an answer by what is no X-Cache-Key.
	ErrInvalidKey = &plugins.Error{
		Status:  http.StatusBadRequest,
		Type:    "invalid_request_error",
		Code:    "invalid_cache_key",
		Message: "this is no key of an answer: X-Cache-Key of the answer has it, 24 hexadecimal digits",
	}

	// ErrNotPurged says that an answer was purged from the memory of one replica,
	// and may still be given by others.
	ErrNotPurged = &plugins.Error{
		Status:  http.StatusServiceUnavailable,
		Type:    "cache_error",
		Code:    "not_purged",
		Message: "the answer may still be stored: ask again later",
	}

	// ErrBehind ends a stream whose client reads it so much more slowly than
	// others read the same one that what it has not read yet is not kept any
	// more.
	ErrBehind = &plugins.Error{
		Status:  http.StatusServiceUnavailable,
		Type:    "cache_error",
		Code:    "too_far_behind",
		Message: "this client has read a stream that it shares with others too slowly to be given the rest of it: ask again",
	}
)

// failed reports whether an answer is one in whose place a stale one may be
// given (RFC 5861, section 4).
func failed(res *http.Response, err error) bool {
	status := http.StatusBadGateway
	if e, ok := plugins.AsError(err); ok {
		status = e.Status
	} else if err == nil {
		status = res.StatusCode
	}
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
