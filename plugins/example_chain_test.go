package plugins_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/holysheep/relay/plugins"
	"github.com/holysheep/relay/plugins/plugintest"
)

// A chain is an onion: the first link is the outermost, and every Serve is
// outside every Fetch.
func ExampleChain() {
	serve := func(name string) plugins.Link {
		return plugins.Link{Serve: func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				defer fmt.Println("  leave", name)
				fmt.Println("  enter", name)
				return next(c)
			}
		}}
	}
	fetch := func(name string) plugins.Link {
		return plugins.Link{Fetch: func(next http.RoundTripper) http.RoundTripper {
			return plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
				defer fmt.Println("  leave", name)
				fmt.Println("  enter", name)
				return next.RoundTrip(req)
			})
		}}
	}
	chain := plugins.Chain{serve("auth"), fetch("limit"), fetch("retry")}
	fmt.Println("check:", chain.Check([]string{"auth", "limit", "retry"}))

	transport := chain.Fetch(plugintest.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		fmt.Println("  ask an upstream")
		return plugintest.Response(req, http.StatusOK, "{}"), nil
	}))
	handler := chain.Serve(func(c echo.Context) error {
		res, err := transport.RoundTrip(c.Request())
		if err != nil {
			return err
		}
		return res.Body.Close()
	})
	fmt.Println("a request:")
	req := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader("{}"))
	if err := handler(echo.New().NewContext(req, httptest.NewRecorder())); err != nil {
		panic(err)
	}
	fmt.Println("another order:", plugins.Chain{fetch("retry"), serve("auth")}.Check([]string{"retry", "auth"}))
	// Output:
	// check: <nil>
	// a request:
	//   enter auth
	//   enter limit
	//   enter retry
	//   ask an upstream
	//   leave retry
	//   leave limit
	//   leave auth
	// another order: chain: auth faces the client, so it must come before retry
}

// A stream that is watched stays a stream.
func ExampleWatch() {
	res := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("data: [DONE]\n\n"))}
	read := 0
	plugins.Watch(res,
		func(piece []byte) { read += len(piece) },
		func(whole bool) { fmt.Printf("%d bytes, whole: %t\n", read, whole) })
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	// Output: 14 bytes, whole: true
}

// A package variable is the answer; what is known at the time is added to a
// copy of it.
func ExampleError_With() {
	errTooMany := &plugins.Error{
		Status:  http.StatusTooManyRequests,
		Type:    "rate_limit_error",
		Code:    "rate_limit_exceeded",
		Message: "too many requests",
	}
	err := errTooMany.With(http.Header{"Retry-After": {"7"}}).Because(io.EOF)
	fmt.Println(err.Status, err.Header, err)
	// Output: 429 map[Retry-After:[7]] rate_limit_exceeded: too many requests: EOF
}
