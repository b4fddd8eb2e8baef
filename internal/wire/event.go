package wire

// A Meaning is what an event of a stream says.
type Meaning uint8

// The meanings of events.
const (
	Silent  Meaning = iota // nothing that a client could use: a role, a beginning, a ping
	Content                // something of the answer
	Failure                // an error in place of what was to come
	End                    // that the answer is whole
)

// Meaning returns what an event means. name is that of its event line, "" if it
// has none, and data is what its data lines hold.
func (r Route) Meaning(name string, data []byte) Meaning { return Content }

// A Problem is an error that a client is told of.
type Problem struct {
	Status  int    // the HTTP status that goes with it
	Type    string // its family, in OpenAI's words
	Code    string // its exact reason
	Message string // for people
}

// Body returns the problem as the JSON body of an answer in the wire's form.
func (r Route) Body(p Problem) []byte { return nil }

// Event returns the problem as an event of a stream in the wire's form.
func (r Route) Event(p Problem) []byte { return nil }

// Passes reports whether an event that means Failure tells of something that
// passes, so that the same request may be answered elsewhere or later: too many
// requests, an overload, a fault of the server. It returns the HTTP status that
// the error would have had.
func (r Route) Passes(name string, data []byte) (status int, passes bool) { return 0, false }
