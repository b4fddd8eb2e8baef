package plugins

import (
	"context"
	"net/http"
	"sync"
)

// A Client is who asks, as far as a plugin such as auth found out.
type Client struct {
	Name   string   // the client's name in the configuration
	Group  string   // the group it belongs to; may be empty
	Models []string // globs of the models it may use; empty means every model
}

// A Call is one request of a client on its way through the chain: one value in
// the context instead of many. The server makes it; plugins read it and note
// on it what the access line tells. It is safe for concurrent use.
type Call struct {
	ID    string // the request's id, as X-Request-Id has it
	Trail Trail  // whom the request has asked

	read  func() Ask // the asking, when someone wants to know
	once  sync.Once
	asked Ask

	measuring sync.Once
	measure   Measure

	mu     sync.Mutex
	client Client
	known  bool
	cache  string
	fault  error
	status int
	header []line

	begun bool     // a stream has begun, though not for the client
	late  []func() // what is due when it comes to nothing

	of    *Call // asks for this one; nil if it asks itself
	saved Usage // of a stored answer
}

// A line is a header that SetHeader has set.
type line struct{ key, value string }

// fewLines is for how many of them there is room at first: a few more than the
// plugins that come with the relay set.
const fewLines = 12

// NewCall returns a call with the given id. ask tells what is asked; it is
// called at most once, when someone wants to know. A nil ask asks nothing.
func NewCall(id string, ask func() Ask) *Call {
	if ask == nil {
		ask = func() Ask { return Ask{} }
	}
	return &Call{ID: id, read: ask}
}

type callKey struct{}

// WithCall returns a context that carries c.
func WithCall(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallOf returns the call that ctx carries, or a new, empty one.
func CallOf(ctx context.Context) *Call {
	if c, ok := ctx.Value(callKey{}).(*Call); ok {
		return c
	}
	return NewCall("", nil)
}

// Ask tells what is asked. The body is scanned on the first call.
func (c *Call) Ask() Ask {
	c.once.Do(func() { c.asked = c.read() })
	return c.asked
}

// SetClient notes who asks.
func (c *Call) SetClient(client Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.client, c.known = client, true
}

// Client returns who asks, and whether anybody found out. Without auth in the
// chain the client is anonymous: the zero Client and false.
func (c *Call) Client() (Client, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.client, c.known
}

// SetHeader sets a header of the answer that the client gets, whatever answer
// it will be: the upstream's, a stored one or an error. It is the way for
// headers that belong to this call and not to the answer, such as X-Cache, so
// that nobody stores them.
func (c *Call) SetHeader(key, value string) {
	key = http.CanonicalHeaderKey(key)
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.find(key); l != nil {
		l.value = value
		return
	}
	if c.header == nil {
		c.header = make([]line, 0, fewLines)
	}
	c.header = append(c.header, line{key, value})
}

// Header returns one of the headers that SetHeader has set, "" if it was not.
func (c *Call) Header(key string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.find(http.CanonicalHeaderKey(key)); l != nil {
		return l.value
	}
	return ""
}

// find returns the header of that name, nil if there is none. c.mu is held.
func (c *Call) find(key string) *line {
	for i := range c.header {
		if c.header[i].key == key {
			return &c.header[i]
		}
	}
	return nil
}

// WriteHeaders puts the headers that SetHeader has set into h, in place of
// those of the same name. The server calls it last.
func (c *Call) WriteHeaders(h http.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	values := make([]string, len(c.header)) // of all of them
	for i, l := range c.header {
		values[i] = l.value
		h[l.key] = values[i : i+1 : i+1]
	}
}

// SetFault notes why the client did not get a whole answer. The first fault
// that is noted stays.
func (c *Call) SetFault(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault == nil {
		c.fault = err
	}
}

// Fault returns why the client did not get a whole answer, nil if it did.
func (c *Call) Fault() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fault
}

// SetStatus notes what the answer came to, where the client was told another
// status before that was known.
func (c *Call) SetStatus(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

// Status returns what SetStatus has noted, 0 if nothing: the client was told.
func (c *Call) Status() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// Usage returns what the answer has used; see [Attempt.Usage]. It is the zero
// Usage where no upstream was asked, as for a stored answer.
func (c *Call) Usage() Usage {
	if a := c.Trail.Answer(); a != nil {
		return a.Usage()
	}
	return Usage{}
}

// ModelOf returns the model that the attempt asks for, or has been answered by,
// by the name that clients use: money is reckoned by it. Where no upstream goes
// by models it is the one that the client asked for, and where that names none
// the one that the answer names, once that has ended. "" is none.
func (c *Call) ModelOf(a *Attempt) string {
	if a != nil && a.Model() != "" {
		return a.Model()
	}
	if model := c.Ask().Model; model != "" || a == nil {
		return model
	}
	return a.Usage().Model
}

// Answered is [Call.ModelOf] the attempt whose answer stands. Without any it is
// the model that the client asked for.
func (c *Call) Answered() string { return c.ModelOf(c.Trail.Answer()) }

// SetSaved notes what the answer had used that was given again, so that no
// upstream was asked.
func (c *Call) SetSaved(u Usage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.saved = u
}

// Saved returns what SetSaved has noted: the zero Usage where an upstream was
// asked.
func (c *Call) Saved() Usage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.saved
}

// SetCache notes what the cache did: HIT, MISS, COALESCED, STALE or BYPASS.
func (c *Call) SetCache(status string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cache = status
}

// Cache returns what the cache did, "" if there was none in the way.
func (c *Call) Cache() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cache
}

// detached returns a call for a request that outlives this one's client.
func (c *Call) detached() *Call {
	d := NewCall(c.ID, c.Ask)
	client, known := c.Client()
	d.client, d.known = client, known
	return d
}
