package plugins

// A UsageSource says how a usage is known.
type UsageSource string

// The sources of a usage.
const (
	// UsageUnknown is that of a request that no upstream has answered, or whose
	// answer has not ended.
	UsageUnknown UsageSource = ""

	// UsageReported is that of an answer which says itself what it has used.
	UsageReported UsageSource = "reported"

	// UsageEstimated is that of a whole answer which does not say it.
	UsageEstimated UsageSource = "estimated"

	// UsagePartial is that of an answer which broke off, or whose client left,
	// before it said it: an estimate of what had come by then.
	UsagePartial UsageSource = "partial"
)

// A Usage is what an answer has used, in tokens.
type Usage struct {
	Input     int64       // of the question, cached ones included
	Output    int64       // of the answer, reasoning included
	Cached    int64       // of Input, those that the upstream read from its prompt cache
	Written   int64       // of Input, those that it wrote to its prompt cache
	Reasoning int64       // of Output, those of reasoning
	Model     string      // that the answer names; "" if it names none
	Source    UsageSource // how the rest is known

	// Counted says that the answer only tells how many tokens Input would be, as
	// that of messages/count_tokens does. That costs nothing.
	Counted bool
}

// Total returns the tokens of question and answer together.
func (u Usage) Total() int64 { return u.Input + u.Output }
