package demo

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// prefix begins the name of every header that a plan is made from.
const prefix = "X-Demo-"

// A plan is what the X-Demo headers of one request ask for. See the package
// comment for what each means.
type plan struct {
	status, tokens, errorAt   int
	code, encoding, length    string
	retryAfter, retryAfterMs  string
	newline, comment          string
	latency, pace, firstToken time.Duration
	reset                     string // "", resetBefore or resetHeaders
	empty                     bool
	fail                      failing
	breakAt, stallAt, packets measure
	early                     []int
	header, trailer           []field
	read                      int64
}

// Where X-Demo-Reset closes the connection.
const (
	resetBefore  = "true"    // instead of an answer
	resetHeaders = "headers" // in the middle of its headers
)

// failing is "name=times:status": the first times requests of that name get
// the status; 0 resets them.
type failing struct {
	name          string
	times, status int
}

// A measure is a unit and numbers, as in "bytes=3,10". The unit "" is none.
type measure struct {
	unit    string
	numbers []int
}

// A field is one header field.
type field struct{ name, value string }

// noPlan returns the plan of a request without X-Demo headers. A number below
// 0 is one that is not set.
func noPlan() plan { return plan{errorAt: -1, pace: -1, read: -1, newline: "lf"} }

// settings returns what reads each X-Demo header into p.
func (p *plan) settings() map[string]func(value string) error {
	return map[string]func(string) error{
		"X-Demo-Break":          units(&p.breakAt, 0, "bytes", "events"),
		"X-Demo-Code":           text(&p.code),
		"X-Demo-Comment":        text(&p.comment),
		"X-Demo-Early":          each(&p.early, 102, 199),
		"X-Demo-Empty":          truth(&p.empty),
		"X-Demo-Encoding":       oneOf(&p.encoding, "gzip", "br", "bad-gzip"),
		"X-Demo-Error-Event":    number(&p.errorAt, 0, 1_000_000),
		"X-Demo-Fail":           fails(&p.fail),
		"X-Demo-First-Token":    duration(&p.firstToken),
		"X-Demo-Header":         fields(&p.header),
		"X-Demo-Latency":        duration(&p.latency),
		"X-Demo-Length":         oneOf(&p.length, "fixed", "chunked"),
		"X-Demo-Newline":        oneOf(&p.newline, "lf", "crlf", "cr"),
		"X-Demo-Pace":           pace(&p.pace),
		"X-Demo-Packets":        units(&p.packets, 1, "bytes", "at", "events"),
		"X-Demo-Read":           number(&p.read, 0, maxBody),
		"X-Demo-Reset":          resets(&p.reset),
		"X-Demo-Retry-After":    text(&p.retryAfter),
		"X-Demo-Retry-After-Ms": text(&p.retryAfterMs),
		"X-Demo-Stall":          units(&p.stallAt, 0, "bytes", "events"),
		"X-Demo-Status":         number(&p.status, 200, 599),
		"X-Demo-Tokens":         number(&p.tokens, 1, 1_000_000),
		"X-Demo-Trailer":        fields(&p.trailer),
	}
}

// parsePlan makes a plan from the X-Demo headers in h. The error names every
// header at fault. A header that stands there twice is read twice: lists grow,
// the rest keep the last value.
func parsePlan(h http.Header) (plan, error) {
	p := noPlan()
	var names []string
	for name := range h {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return p, nil
	}
	slices.Sort(names)
	settings := p.settings()
	var errs []error
	for _, name := range names {
		set, known := settings[name]
		if !known {
			errs = append(errs, fmt.Errorf("%s: there is no such header", name))
			continue
		}
		for _, value := range h[name] {
			if err := set(value); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	return p, errors.Join(append(errs, p.conflict())...)
}

// conflict reports two headers that cannot both have their way.
func (p *plan) conflict() error {
	switch {
	case p.breakAt.unit != "" && p.stallAt.unit != "":
		return errors.New("X-Demo-Break: X-Demo-Stall stands beside it")
	case p.length == "fixed" && len(p.trailer) > 0:
		return errors.New("X-Demo-Trailer: an answer of fixed length has no trailers")
	}
	return nil
}
