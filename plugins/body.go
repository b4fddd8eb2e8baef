package plugins

import "errors"

// ErrBodyGone is returned by GetBody, and by readers that it gave out, when the
// body was longer than max_replay and has already passed: the request cannot
// be sent again. [Detach] returns it before any of such a body has passed, too.
var ErrBodyGone = errors.New("the body is longer than max_replay: it passes once")
