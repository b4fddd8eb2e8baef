package plugins

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"
)

// A Chain is links in the order of the configuration, outermost first.
//
// Every Serve is outside every Fetch. What a Fetch has to keep to:
//
//   - It does not change the request: it clones it. It reads the body by
//     GetBody, not by Body.
//   - It closes a response that it does not return, and leaves the body of a
//     101 alone: that is the connection.
//   - It returns an error only when there is no response, and is safe for
//     concurrent use.
//   - A refusal is an [*Error], never a hand-made response; whoever asks again
//     takes an [*Error] from inside as final, unless it says Again.
//   - After the first byte nothing can be asked again: act before the body is
//     handed out.
type Chain []Link

// Serve wraps h in the Serve side of every link.
func (c Chain) Serve(h echo.HandlerFunc) echo.HandlerFunc {
	for _, l := range slices.Backward(c) {
		if l.Serve != nil {
			h = l.Serve(h)
		}
	}
	return h
}

// Fetch wraps rt in the Fetch side of every link.
func (c Chain) Fetch(rt http.RoundTripper) http.RoundTripper {
	for _, l := range slices.Backward(c) {
		if l.Fetch != nil {
			rt = l.Fetch(rt)
		}
	}
	return rt
}

// Start starts every link, outermost first.
func (c Chain) Start() {
	for _, l := range c {
		if l.Start != nil {
			l.Start()
		}
	}
}

// Close closes every link, outermost first, and joins their errors: what a link
// does without a client, such as asking for an answer anew, goes through those
// inside of it until it is closed.
func (c Chain) Close(ctx context.Context) error {
	var errs []error
	for _, l := range c {
		if l.Close != nil {
			errs = append(errs, l.Close(ctx))
		}
	}
	return errors.Join(errs...)
}

// Check reports whether the chain runs in the order in which it is written:
// names[i] is the name of c[i]. Since every Serve is outside every Fetch, a
// link with a Serve must come before every link with a Fetch, and a link with
// both must be the last with a Serve. A link that Shares must not be outside of
// one that Charges.
func (c Chain) Check(names []string) error {
	var errs []error
	inner := -1  // the first link that faces the upstream
	shares := -1 // the first link that shares answers
	for i, l := range c {
		if l.Charges && shares >= 0 {
			errs = append(errs, fmt.Errorf("chain: %s gives clients the answers that others have asked for, and %s inside of it "+
				"would count them for who asked first: put %[2]s before %[1]s, or set scope: client there", names[shares], names[i]))
		}
		if l.Shares && shares < 0 {
			shares = i
		}
		if l.Serve != nil && inner >= 0 {
			errs = append(errs, disorder(names[i], names[inner], l.Fetch != nil && c[inner].Serve != nil))
		}
		if l.Fetch != nil && inner < 0 {
			inner = i
		}
	}
	return errors.Join(errs...)
}

// disorder says what is wrong with a link that faces the client inside of one
// that faces the upstream. If both of them face both, no order is right.
func disorder(name, outer string, both bool) error {
	if both {
		return fmt.Errorf("chain: %s and %s both face client and upstream: only one such plugin fits in a chain", outer, name)
	}
	return fmt.Errorf("chain: %s faces the client, so it must come before %s", name, outer)
}
