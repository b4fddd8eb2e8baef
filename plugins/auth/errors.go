package auth

import (
	"net/http"

	"github.com/holysheep/relay/plugins"
)

// What a client is told when it may not ask. Only who sends a good key learns
// that it is expired, disabled or restricted, so none of these tells a
// stranger which keys exist.
var (
	// ErrMissing refuses a request without a credential.
	ErrMissing = &plugins.Error{
		Status: http.StatusUnauthorized, Type: "invalid_request_error", Code: "missing_api_key",
		Message: "no API key: send it as \"Authorization: Bearer <key>\"", Header: challenge(),
	}

	// ErrConflict refuses a request that holds two different credentials.
	ErrConflict = &plugins.Error{
		Status: http.StatusUnauthorized, Type: "invalid_request_error", Code: "conflicting_api_keys",
		Message: "the request holds different API keys in different places: send one", Header: challenge(),
	}

	// ErrInvalid refuses a key that belongs to nobody.
	ErrInvalid = &plugins.Error{
		Status: http.StatusUnauthorized, Type: "invalid_request_error", Code: "invalid_api_key",
		Message: "the API key is not one of this relay's", Header: challenge(),
	}

	// ErrExpired refuses a key after its time.
	ErrExpired = &plugins.Error{
		Status: http.StatusUnauthorized, Type: "invalid_request_error", Code: "expired_api_key",
		Message: "the API key has expired: ask the relay's operator for a new one", Header: challenge(),
	}

	// ErrDisabled refuses a key that is disabled, or whose client is.
	ErrDisabled = &plugins.Error{
		Status: http.StatusUnauthorized, Type: "invalid_request_error", Code: "disabled_api_key",
		Message: "the API key has been disabled by the relay's operator", Header: challenge(),
	}

	// ErrModelNotAllowed refuses a model that the key may not use, and a request
	// of a restricted key that names none.
	ErrModelNotAllowed = &plugins.Error{
		Status: http.StatusForbidden, Type: "invalid_request_error", Code: "model_not_allowed",
		Message: "the API key may not use this model",
	}
)

// challenge is what a 401 has to carry (RFC 9110, section 11.6.1).
func challenge() http.Header { return http.Header{"Www-Authenticate": {"Bearer"}} }
